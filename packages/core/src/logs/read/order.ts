import type { ChunkMeta } from "../chunk/chunk.ts";
import { runningMaximum } from "../chunk/read.ts";

/**
 * A line's place in the one order of a run's lines: by the greatest time that its stream has had up to it, then by the
 * stream's ordinal, then by seq. So a container's own order is never broken by its times.
 */
export interface LineKey {
  /** The greatest time of any line of the stream up to this one, in nanoseconds since the epoch. */
  time: bigint;
  ordinal: number;
  seq: number;
}

/** Negative where `a` comes first. */
export function compareKeys(a: LineKey, b: LineKey): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.ordinal === b.ordinal ? a.seq - b.seq : a.ordinal - b.ordinal;
}

/** What the order of chunks is decided by. */
export type ChunkBounds = Pick<ChunkMeta, "firstSeq" | "lines" | "firstTime" | "maxTime" | "priorTime">;

/** The key of a chunk's first line. */
export function firstKey(ordinal: number, { firstSeq, firstTime, priorTime }: ChunkBounds): LineKey {
  return { time: firstTime > priorTime ? firstTime : priorTime, ordinal, seq: firstSeq };
}

/** The key of a chunk's last line. */
export function lastKey(ordinal: number, chunk: ChunkBounds): LineKey {
  return { time: runningMaximum(chunk), ordinal, seq: chunk.firstSeq + chunk.lines - 1 };
}

/**
 * Where a key divides another stream: lines whose running maximum is below what this returns come before the key, all
 * others behind it. In the key's own stream its seq divides.
 */
export function dividingTime(key: LineKey, ordinal: number): bigint {
  return ordinal < key.ordinal ? key.time + 1n : key.time;
}
