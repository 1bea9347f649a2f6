import type { LogStream } from "@tailrace/core";
import type { ApiContext } from "../../context.ts";
import { runNotFound } from "../runs/find.ts";

/** The streams of a run by their ordinals. @throws TailraceError NOT_FOUND when there is no such run */
export async function findStreams(ctx: ApiContext, teamId: string, runId: string): Promise<LogStream[]> {
  const streams = await ctx.store.listLogStreams(teamId, runId);
  if (streams === null) throw runNotFound(runId);
  return streams;
}
