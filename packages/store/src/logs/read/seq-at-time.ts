import { firstKey } from "@tailrace/core";
import type pg from "pg";
import type { Queryable } from "../../database.ts";
import type { ChunkCache } from "./chunk-cache.ts";
import type { LiveStream } from "./live-streams.ts";
import type { OpenChunk } from "./open-chunk.ts";
import { clamp, type Window } from "./windows.ts";

/** A window of a stream, and a time in nanoseconds since the epoch. */
export interface WindowTime extends Window {
  time: bigint;
}

interface Candidate {
  window: WindowTime;
  place: { firstSeq: number; lines: number };
  /** True when the chunk's first line has reached the time. */
  whole: boolean;
}

/**
 * For each window the seq of its first line whose running maximum has reached the time; the window's end where none has.
 * A stream's running maximum never falls, so that what is before has not, and what is behind has.
 */
export async function seqsAtTimes(
  client: pg.ClientBase,
  windows: readonly WindowTime[],
  chunks: ChunkCache,
): Promise<number[]> {
  const candidates = await findCandidates(client, windows);
  const inside = candidates.filter((candidate) => !candidate.whole);
  const opened = await chunks.open(
    client,
    inside.map(({ window, place }) => ({ stream: window.stream, place })),
  );
  const seqs = new Map<LiveStream, number>();
  for (const { window, place } of candidates) seqs.set(window.stream, place.firstSeq);
  for (const [index, { window }] of inside.entries()) seqs.set(window.stream, seqInChunk(opened[index]!, window.time));
  return windows.map(({ stream, from, until }) => clamp(seqs.get(stream) ?? until, from, until));
}

/** The first chunk of each window that reaches its time. */
async function findCandidates(client: Queryable, windows: readonly WindowTime[]): Promise<Candidate[]> {
  if (windows.length === 0) return [];
  const { rows } = await client.query<{
    place: string;
    first_seq: string;
    lines: number;
    first_time: string;
    max_time: string;
    prior_time: string;
  }>(CHUNKS_AT_TIMES, [
    windows[0]!.stream.day,
    windows.map(({ stream }) => stream.id),
    windows.map(({ from }) => from),
    windows.map(({ until }) => until),
    windows.map(({ time }) => time),
  ]);
  return rows.map((row) => {
    const window = windows[Number(row.place) - 1]!;
    const bounds = {
      firstSeq: Number(row.first_seq),
      lines: row.lines,
      firstTime: BigInt(row.first_time),
      maxTime: BigInt(row.max_time),
      priorTime: BigInt(row.prior_time),
    };
    return { window, place: bounds, whole: firstKey(window.stream.ordinal, bounds).time >= window.time };
  });
}

/**
 * Halves each window until the first chunk that reaches its time is found: no chunk from `lo` on back has, the one that
 * begins at `hi` has. The limit of the last step keeps it the last one: where nothing is known of a partition yet, it would
 * else be tried with all of the stream's chunks.
 */
export const CHUNKS_AT_TIMES = `
  select w.place, c.first_seq, c.lines, c.first_time, c.max_time, c.prior_time
  from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) with ordinality as w(id, from_seq, until_seq, time, place)
  cross join lateral (
    with recursive halves(lo, hi) as (
      select w.from_seq, w.until_seq
      union all
      select
        case when m.reached then h.lo else greatest(m.first_seq + m.lines, (h.lo + h.hi) / 2 + 1) end,
        case when m.reached then m.first_seq else h.hi end
      from halves h
      cross join lateral (
        select c.first_seq, c.lines, greatest(c.max_time, c.prior_time) >= w.time as reached
        from log_chunks c
        where c.day = $1 and c.stream_id = w.id and c.first_seq <= (h.lo + h.hi) / 2
        order by c.first_seq desc limit 1
      ) m
      where h.lo < h.hi
    )
    select min(hi) as first_seq from halves
  ) found
  cross join lateral (
    select c.first_seq, c.lines, c.first_time, c.max_time, c.prior_time
    from log_chunks c
    where c.day = $1 and c.stream_id = w.id and c.first_seq = found.first_seq
      and greatest(c.max_time, c.prior_time) >= w.time
    limit 1
  ) c`;

/** A running maximum never falls. */
function seqInChunk(chunk: OpenChunk, time: bigint): number {
  let [low, high] = [0, chunk.lines];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (chunk.maximum(middle) >= time) high = middle;
    else low = middle + 1;
  }
  return chunk.firstSeq + low;
}
