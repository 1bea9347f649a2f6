import type { LogLine } from "@tailrace/core";
import type pg from "pg";
import { rangeOfChunks } from "../chunks/read-chunks.ts";
import { copyChunks } from "../chunks/chunk-rows.ts";
import { openStoredChunk } from "../codec.ts";
import type { LiveStream } from "./live-streams.ts";
import { LogLines } from "./log-lines.ts";

/** A line with the greatest time that its stream has had up to it. */
export interface ReadLine {
  line: LogLine;
  maximum: bigint;
}

/** Lines that are not further apart are read with one statement. */
const NEAR_LINES = 64;
const BATCH_CHUNKS = 64;

/** Single lines of a stream. @param seqs - ascending @param take - given a copy of each; false for no more */
export async function readLines(
  client: pg.ClientBase,
  stream: LiveStream,
  seqs: readonly number[],
  take: (line: ReadLine) => boolean,
): Promise<void> {
  for (let at = 0; at < seqs.length;) {
    let end = at + 1;
    while (end < seqs.length && seqs[end]! - seqs[end - 1]! <= NEAR_LINES) end += 1;
    const range = { fromSeq: seqs[at]!, untilSeq: seqs[end - 1]! + 1 };
    const chunks = await copyChunks(client, rangeOfChunks(stream, range, BATCH_CHUNKS));
    const before = at;
    for (const { chunk } of chunks) {
      const chunkEnd = chunk.firstSeq + chunk.lines;
      const lines = new LogLines(await openStoredChunk(chunk), stream.ordinal);
      while (at < seqs.length && seqs[at]! < chunkEnd && lines.next()) {
        if (lines.seq !== seqs[at]) continue;
        const line = lines.line();
        line.bytes = new Uint8Array(line.bytes);
        if (!take({ line, maximum: lines.maximum })) return;
        at += 1;
      }
    }
    if (at === before) throw new Error(`line ${seqs[at]} of stream ${stream.id} is not where it should be`);
  }
}
