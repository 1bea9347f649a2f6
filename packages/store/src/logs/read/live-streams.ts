import type { LogStream, StreamRef } from "@tailrace/core";
import type { Queryable } from "../../database.ts";

/** A stream whose lines are there, as of a snapshot. */
export interface LiveStream extends StreamRef {
  ordinal: number;
  lines: number;
  /**
   * The place behind everything: `lines`, and one more for a sealed stream that ends in a gap, so that the gap is behind a
   * place that stands at its last line and before one that stands at the end.
   */
  end: number;
  maxTime: bigint;
  /** How many gaps it has. */
  gaps: number;
}

/** Of the given streams those that were neither deleted nor expired, by their ordinals. */
export async function readLiveStreams(client: Queryable, streams: readonly LogStream[]): Promise<LiveStream[]> {
  const ordinals = new Map(streams.map((stream) => [stream.id, stream.ordinal]));
  const { rows } = await client.query<{
    id: string;
    day: string;
    lines: string;
    max_time: string | null;
    gaps: number;
    ended_in_gap: boolean;
  }>(
    `select s.id, to_char(s.day, 'YYYY-MM-DD') as day, s.next_seq as lines, s.max_time, s.gaps,
       s.sealed_at is not null and exists (
         select from log_gaps g where g.day = s.day and g.stream_id = s.id and g.seq = s.next_seq
       ) as ended_in_gap
     from log_streams s where s.id = any($1) and s.expired_at is null`,
    [[...ordinals.keys()]],
  );
  return rows
    .map((row) => ({
      id: Number(row.id),
      day: row.day,
      ordinal: ordinals.get(Number(row.id))!,
      lines: Number(row.lines),
      end: Number(row.lines) + (row.ended_in_gap ? 1 : 0),
      maxTime: BigInt(row.max_time ?? 0),
      gaps: row.gaps,
    }))
    .toSorted((a, b) => a.ordinal - b.ordinal);
}
