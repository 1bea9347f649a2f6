import type pg from "pg";
import type { ReadChunk } from "../chunks/chunk-rows.ts";
import type { ScanFilter } from "../scan/line-filter.ts";
import type { ScanPool } from "../scan/scan-pool.ts";
import type { BucketCounts, ScanTask } from "../scan/scan-task.ts";
import type { SeqRange } from "@tailrace/core";
import type { OrderedChunk } from "./chunk-order.ts";
import { fetchChunks } from "./fetch-chunks.ts";
import type { Match } from "./match-list.ts";

/** A chunk that was read, with the lines of it that are asked about. Once it was scanned its data is gone. */
export interface FetchedChunk {
  ordinal: number;
  stored: ReadChunk;
  range: SeqRange;
}

/** Scans the chunks of a snapshot with one filter. */
export class Scanner {
  readonly #client: pg.ClientBase;
  readonly #pool: ScanPool;
  readonly #filter: ScanFilter;

  constructor(client: pg.ClientBase, pool: ScanPool, filter: ScanFilter) {
    this.#client = client;
    this.#pool = pool;
    this.#filter = filter;
  }

  async fetch(chunks: readonly OrderedChunk[]): Promise<FetchedChunk[]> {
    const keys = chunks.map(({ stream, place }) => ({ stream, firstSeq: place.firstSeq }));
    const stored = await fetchChunks(this.#client, keys);
    return chunks.map(({ stream, range }, index) => ({ ordinal: stream.ordinal, stored: stored[index]!, range }));
  }

  /** @param limit - of each chunk */
  async findMatches(
    chunks: readonly FetchedChunk[],
    want: { limit: number; newest: boolean },
    signal: AbortSignal,
  ): Promise<Match[]> {
    const result = await this.#pool.run(this.#toTask(chunks, { kind: "matches", ...want }), signal);
    if (result.kind !== "matches") throw new TypeError("a scan for matches was answered with counts");
    return result.matches.flatMap(({ seqs, times, sizes }, index) => {
      const { ordinal } = chunks[index]!;
      return seqs.map((seq, at) => ({ ordinal, seq, time: times[at]!, size: sizes[at]! }));
    });
  }

  async countMatches(chunks: readonly FetchedChunk[], bucketMs: number, signal: AbortSignal): Promise<BucketCounts> {
    const result = await this.#pool.run(this.#toTask(chunks, { kind: "counts", bucketMs }), signal);
    if (result.kind !== "counts") throw new TypeError("a scan for counts was answered with matches");
    return result.counts;
  }

  #toTask(chunks: readonly FetchedChunk[], want: ScanTask["want"]): ScanTask {
    return { filter: this.#filter, chunks: chunks.map(({ stored, range }) => ({ stored, range })), want };
  }
}
