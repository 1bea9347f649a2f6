import { timestamp } from "../store/time.ts";

/** Said first by every container that replays. */
export const LABEL = "sandbox: k6 is not installed on this machine; this output is a replay of a recorded run";

/** One entry of k6's log, in the format that `K6_LOG_FORMAT` names. */
export function logLine(
  format: string | undefined,
  level: "info" | "warning" | "error",
  message: string,
  source?: string,
): string {
  const time = timestamp(new Date());
  if (format === "json") return `${JSON.stringify({ level, msg: message, ...(source ? { source } : {}), time })}\n`;
  if (format === "raw") return `${message}\n`;
  return `time="${time}" level=${level} msg=${JSON.stringify(message)}${source ? ` source=${source}` : ""}\n`;
}
