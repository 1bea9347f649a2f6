import type { LogLine } from "@tailrace/core";
import type pg from "pg";
import { copyChunks, type ReadChunk } from "../chunks/chunk-rows.ts";
import { openStoredChunk } from "../codec.ts";
import { chunksOfRanges, type ChunksRange } from "./fetch-chunks.ts";
import type { LiveStream } from "./live-streams.ts";
import { LogLines } from "./log-lines.ts";

/** Single lines of a stream. */
export interface WantedLines {
  stream: LiveStream;
  /** Ascending. */
  seqs: readonly number[];
}

/** A line with the greatest time that its stream has had up to it. */
export interface ReadLine {
  line: LogLine;
  maximum: bigint;
}

/** Lines that are not further apart are read with one statement. */
const NEAR_LINES = 64;
/** Chunks that one statement reads at most. */
const BATCH_CHUNKS = 64;

/**
 * Reads lines of several streams of one day, each stream's in its order.
 *
 * @param take - given a copy of each; false for no more
 */
export async function readLines(
  client: pg.ClientBase,
  wanted: readonly WantedLines[],
  take: (line: ReadLine) => boolean,
): Promise<void> {
  let walks = wanted.filter(({ seqs }) => seqs.length > 0).map((lines) => new Walk(lines));
  while (walks.length > 0) {
    const now = walks.slice(0, BATCH_CHUNKS);
    const ranges = now.map((walk) => walk.range);
    const byStream = new Map(now.map((walk) => [walk.stream.id, walk]));
    for (const { streamId, chunk } of await copyChunks(client, chunksOfRanges(ranges, BATCH_CHUNKS)))
      if (!(await byStream.get(streamId)!.read(chunk, take))) return;
    for (const [index, walk] of now.entries()) walk.expectBehind(ranges[index]!.fromSeq);
    walks = walks.filter((walk) => !walk.done);
  }
}

/** Goes along one stream's lines. */
class Walk {
  readonly stream: LiveStream;
  readonly #seqs: readonly number[];
  #at = 0;

  constructor({ stream, seqs }: WantedLines) {
    this.stream = stream;
    this.#seqs = seqs;
  }

  get done(): boolean {
    return this.#at === this.#seqs.length;
  }

  /** The next lines that are near to each other. */
  get range(): ChunksRange {
    const seqs = this.#seqs;
    let end = this.#at + 1;
    while (end < seqs.length && seqs[end]! - seqs[end - 1]! <= NEAR_LINES) end += 1;
    return { stream: this.stream, fromSeq: seqs[this.#at]!, untilSeq: seqs[end - 1]! + 1 };
  }

  /** @returns false when no more is wanted */
  async read(chunk: ReadChunk, take: (line: ReadLine) => boolean): Promise<boolean> {
    const end = chunk.firstSeq + chunk.lines;
    const lines = new LogLines(await openStoredChunk(chunk), this.stream.ordinal);
    while (!this.done && this.#seqs[this.#at]! < end && lines.next()) {
      if (lines.seq !== this.#seqs[this.#at]) continue;
      const line = lines.line();
      line.bytes = new Uint8Array(line.bytes);
      if (!take({ line, maximum: lines.maximum })) return false;
      this.#at += 1;
    }
    return true;
  }

  /** @throws where a line that was asked for has not come */
  expectBehind(seq: number): void {
    if (this.#seqs[this.#at] === seq)
      throw new Error(`line ${seq} of stream ${this.stream.id} is not where it should be`);
  }
}
