import {
  compareKeys,
  firstKey,
  TailraceError,
  type Gap,
  type LineKey,
  type LogEntry,
  type StoredChunk,
} from "@tailrace/core";
import type pg from "pg";
import { copyChunks } from "../chunks/chunk-rows.ts";
import { rangeOfChunks } from "../chunks/read-chunks.ts";
import { openStoredChunk } from "../codec.ts";
import { listGaps } from "../gaps/list-gaps.ts";
import { LogLines } from "./log-lines.ts";
import type { LiveStream } from "./live-streams.ts";

/** About how many bytes of stored data of one stream are in memory at once. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_CHUNKS = 256;

/**
 * Goes through a stream's lines and gaps, and holds no connection while nobody asks. A chunk is decompressed when it is
 * its turn, so that of many streams few are in memory.
 */
export class StreamCursor {
  readonly #pool: pg.Pool;
  readonly #stream: LiveStream;
  /** What the next line's key is not below; null behind the end. */
  #bound: LineKey | null;
  #next = 0;
  #limit = 1;
  #chunks: StoredChunk[] = [];
  #gaps: Gap[] = [];
  /** Stands at line {@link #next}; null between two chunks. */
  #lines: LogLines | null = null;

  constructor(pool: pg.Pool, stream: LiveStream) {
    this.#pool = pool;
    this.#stream = stream;
    this.#bound = stream.end === 0 ? null : { time: 0n, ordinal: stream.ordinal, seq: 0 };
  }

  /** True behind its last line and gap. */
  get ended(): boolean {
    return this.#bound === null;
  }

  /** True when its next line comes before that of another. @param other - null for none */
  comesBefore(other: StreamCursor | null): boolean {
    if (this.#bound === null) return false;
    return other === null || other.#bound === null || compareKeys(this.#bound, other.#bound) < 0;
  }

  /** True when {@link take} has something to give. */
  get ready(): boolean {
    return this.#lines !== null;
  }

  /** The next line, behind its gaps. Only while {@link ready}; the bytes are in the chunk's memory. */
  take(): LogEntry[] {
    const lines = this.#lines!;
    const entries = this.#takeGaps();
    entries.push(lines.line());
    this.#next += 1;
    if (this.#next < this.#stream.lines && lines.next()) this.#bound = this.#keyOf(lines);
    else this.#endChunk(lines.maximum);
    return entries;
  }

  /** Goes on to where the next lines are: {@link ready} is true after it, or it is to be called again, or nothing is left. @returns gaps behind the last line */
  async load(): Promise<LogEntry[]> {
    if (this.#next >= this.#stream.lines) return await this.#end();
    if (this.#chunks.length === 0) {
      await this.#loadBatch();
      this.#bound = { ...firstKey(this.#stream.ordinal, this.#chunks[0]!), seq: this.#next };
      return [];
    }
    const lines = new LogLines(await openStoredChunk(this.#chunks.shift()!), this.#stream.ordinal);
    // Chunks were replaced since the last batch where this one begins before it.
    while (lines.next() && lines.seq < this.#next);
    this.#lines = lines;
    this.#bound = this.#keyOf(lines);
    return [];
  }

  async #end(): Promise<LogEntry[]> {
    this.#bound = null;
    if (this.#stream.end === this.#next) return [];
    this.#gaps = await listGaps(this.#pool, this.#stream, { from: this.#next });
    return this.#takeGaps();
  }

  async #loadBatch(): Promise<void> {
    const stream = this.#stream;
    const client = await this.#pool.connect();
    let usable = false;
    try {
      const range = { fromSeq: this.#next, untilSeq: stream.lines };
      this.#chunks = (await copyChunks(client, rangeOfChunks(stream, range, this.#limit))).map(({ chunk }) => chunk);
      const last = this.#chunks.at(-1);
      if (last === undefined || this.#chunks[0]!.firstSeq > this.#next)
        throw new TailraceError("CONFLICT", "lines of this log were deleted while it was read");
      this.#gaps = await listGaps(client, stream, { from: this.#next, until: last.firstSeq + last.lines });
      usable = true;
    } finally {
      client.release(!usable);
    }
    const bytes = this.#chunks.reduce((sum, { data }) => sum + data.length, 0);
    this.#limit = Math.min(
      BATCH_CHUNKS,
      Math.max(1, Math.floor(BATCH_BYTES / Math.max(1, bytes / this.#chunks.length))),
    );
  }

  #endChunk(maximum: bigint): void {
    this.#lines = null;
    const next = this.#chunks[0];
    const { ordinal } = this.#stream;
    this.#bound =
      next === undefined
        ? { time: maximum, ordinal, seq: this.#next }
        : { ...firstKey(ordinal, next), seq: this.#next };
  }

  #takeGaps(): LogEntry[] {
    const entries: LogEntry[] = [];
    for (let gap = this.#gaps[0]; gap !== undefined && gap.seq <= this.#next; gap = this.#gaps[0]) {
      entries.push({ kind: "gap", ordinal: this.#stream.ordinal, ...gap });
      this.#gaps.shift();
    }
    return entries;
  }

  #keyOf(lines: LogLines): LineKey {
    return { time: lines.maximum, ordinal: this.#stream.ordinal, seq: this.#next };
  }
}
