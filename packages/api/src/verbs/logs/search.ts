import type { LogSearchResult } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import { type Call, NEVER } from "../../context.ts";
import { toLogFilter, withOwnFields } from "../../logs/line-filter.ts";
import { selectStreams } from "../../logs/select-streams.ts";
import type { logsSearch } from "../../schemas/logs.ts";
import { findStreams } from "./find-streams.ts";

/** Counts the lines that match. @throws TailraceError BAD_REQUEST for a pattern that can't be searched for */
export async function searchLogs({
  ctx,
  input,
  signal = NEVER,
}: Call<z.output<typeof logsSearch>>): Promise<LogSearchResult> {
  const { teamId, runId, from = null, until = null, bucket: bucketMs = null } = input;
  await requireRole(ctx, teamId, "viewer");
  const streams = selectStreams(await findStreams(ctx, teamId, runId), input, runId);
  const query = { streams, filter: toLogFilter(input), from, until, bucketMs };
  return await withOwnFields(input, ctx.store.searchLogs(query, signal));
}
