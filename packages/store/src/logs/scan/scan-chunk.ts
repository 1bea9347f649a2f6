import { ChunkLines, levelBit, RunningMaximum, type Chunk } from "@tailrace/core/chunk";
import type { SeqRange } from "@tailrace/core";
import { ChunkText } from "./chunk-text.ts";
import type { LineFilter } from "./line-filter.ts";

/** Matching lines, those of one index in all lists together. */
export interface Matches {
  seqs: number[];
  /** The running maximum, in nanoseconds since the epoch. */
  times: bigint[];
  /** Bytes of the line. */
  sizes: number[];
}

/** @param limit - the first so many, or with `newest` the last */
export function findMatches(
  chunk: Chunk,
  filter: LineFilter,
  { from, until }: SeqRange,
  { limit, newest }: { limit: number; newest: boolean },
): Matches {
  const matches: Matches = { seqs: [], times: [], sizes: [] };
  const text = new ChunkText(chunk);
  const marks = restrict(filter.match(text, chunk.levels), from - chunk.firstSeq, until - chunk.firstSeq);
  if (newest) keepLast(marks, limit);
  const clock = new Clock(chunk);
  for (let line = marks.indexOf(1); line !== -1 && matches.seqs.length < limit; line = marks.indexOf(1, line + 1)) {
    matches.seqs.push(chunk.firstSeq + line);
    matches.times.push(clock.goTo(line).time);
    matches.sizes.push(text.ends[line]! - text.start(line));
  }
  return matches;
}

/** How many lines match, by the bucket of their running maximum, and in it by their level's bit. */
export type Counts = Map<number, Uint32Array>;

/** Room for the greatest bit of a level. */
const LEVELS = 65;

/** @param bucketMs - the buckets' width in milliseconds; the first one begins at the epoch */
export function countMatches(
  chunk: Chunk,
  filter: LineFilter,
  range: SeqRange,
  bucketMs: number,
  counts: Counts,
): void {
  const text = new ChunkText(chunk);
  const marks = restrict(filter.match(text, chunk.levels), range.from - chunk.firstSeq, range.until - chunk.firstSeq);
  const clock = new Clock(chunk);
  let bucket = Number.NaN;
  let levels: Uint32Array = new Uint32Array(LEVELS);
  for (let line = marks.indexOf(1); line !== -1; line = marks.indexOf(1, line + 1)) {
    const next = Math.floor(clock.goTo(line).milliseconds / bucketMs);
    if (next !== bucket) {
      bucket = next;
      levels = counts.get(bucket) ?? new Uint32Array(LEVELS);
      counts.set(bucket, levels);
    }
    levels[levelBit(text.view, text.bytes, text.start(line), text.ends[line]!)]! += 1;
  }
}

function restrict(marks: Uint8Array, from: number, until: number): Uint8Array {
  if (from > 0) marks.fill(0, 0, from);
  if (until < marks.length) marks.fill(0, until);
  return marks;
}

function keepLast(marks: Uint8Array, limit: number): void {
  let line = marks.lastIndexOf(1);
  for (let kept = 1; kept < limit && line > 0; kept++) line = marks.lastIndexOf(1, line - 1);
  if (line > 0) marks.fill(0, 0, line);
}

/** Reads the lines' times one after the other, no further than it is asked. */
class Clock {
  readonly #maximum: RunningMaximum;
  readonly #lines: ChunkLines;
  #line = -1;

  constructor(chunk: Chunk) {
    this.#lines = new ChunkLines(chunk);
    this.#maximum = new RunningMaximum(chunk.priorTime);
  }

  /** @param line - not before that of the last call */
  goTo(line: number): RunningMaximum {
    for (; this.#line < line; this.#line++) {
      this.#lines.nextTime();
      this.#maximum.update(this.#lines);
    }
    return this.#maximum;
  }
}
