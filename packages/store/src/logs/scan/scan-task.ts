import type { ReadChunk } from "../chunks/chunk-rows.ts";
import type { ScanFilter } from "./line-filter.ts";
import type { SeqRange } from "@tailrace/core";
import type { Matches } from "./scan-chunk.ts";

/** A chunk to scan; the memory of its data goes to the worker. */
export interface ScanChunk {
  stored: ReadChunk;
  range: SeqRange;
}

/** A few chunks that are scanned in one go. */
export interface ScanTask {
  filter: ScanFilter;
  chunks: ScanChunk[];
  want: { kind: "matches"; limit: number; newest: boolean } | { kind: "counts"; bucketMs: number };
}

/** Lists that have one index together: how many lines of a bucket and a level. */
export interface BucketCounts {
  buckets: number[];
  levels: number[];
  counts: number[];
}

export type ScanResult =
  /** One for each chunk. */
  { kind: "matches"; matches: Matches[] } | { kind: "counts"; counts: BucketCounts };

export type ScanAnswer =
  | { kind: "result"; result: ScanResult }
  /** The pattern that was tested is more than the engine can do. */
  | { kind: "pattern_failed"; reason: string }
  | { kind: "failed"; message: string };

/** Where a worker says in shared memory what it is doing: which task it has begun and ended last, and which pattern it tests. */
export const STATE = { begun: 0, ended: 1, list: 2, index: 3, length: 4 } as const;

/** What STATE.list says. */
export const LISTS = { none: 0, include: 1, exclude: 2 } as const;
