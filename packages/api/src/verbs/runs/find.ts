import { type Run, TailraceError } from "@tailrace/core";
import type { ApiContext } from "../../context.ts";

/** @throws TailraceError NOT_FOUND */
export async function findRun(ctx: ApiContext, teamId: string, runId: string): Promise<Run> {
  const run = await ctx.store.getRun(teamId, runId);
  if (run === null) throw runNotFound(runId);
  return run;
}

export function runNotFound(runId: string): TailraceError {
  return new TailraceError("NOT_FOUND", `test run "${runId}" not found`);
}
