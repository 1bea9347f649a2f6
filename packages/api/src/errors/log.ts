import type { ApiLog } from "../deps.ts";
import type { Problem } from "./problem.ts";

/** Writes to the log what the caller is not told: the cause of a failure that is not the caller's. */
export function logFailure(
  log: ApiLog,
  problem: Problem,
  error: unknown,
  fields: { requestId: string; path: string },
): void {
  if (problem.code === "INTERNAL") log.error({ ...fields, err: error }, "request failed");
  if (problem.code === "UNAVAILABLE")
    log.warn({ ...fields, err: error }, "request failed because a service it needs is unavailable");
}
