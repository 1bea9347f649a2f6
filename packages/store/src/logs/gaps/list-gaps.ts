import type { Gap, StreamRef } from "@tailrace/core";
import type { Queryable } from "../../database.ts";
import { toGap, type GapRow } from "./rows.ts";

/**
 * In the order of the lines behind them.
 *
 * @param range - of their seqs: from one to the one before another (Default: all)
 */
export async function listGaps(
  client: Queryable,
  stream: StreamRef,
  { from = 0, until = Number.MAX_SAFE_INTEGER }: { from?: number; until?: number } = {},
): Promise<Gap[]> {
  const { rows } = await client.query<GapRow>(LIST_GAPS, [stream.day, stream.id, from, until]);
  return rows.map(toGap);
}

export const LIST_GAPS = `
  select seq, reason, certain, from_time, until_time from log_gaps
  where day = $1 and stream_id = $2 and seq >= $3 and seq < $4 order by seq, reason`;
