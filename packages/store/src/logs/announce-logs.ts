/** What is announced here is a run's id: lines of it were stored, or a stream of it was sealed. */
export const LOG_CHANNEL = "tailrace_logs";
