import type { Chunk } from "../../../src/index.ts";
import { decodeChunk, type StoredLine } from "./decode.ts";

const BITS: Record<string, number> = { t: 1, d: 2, i: 4, w: 8, e: 16, f: 32, p: 32 };
const NONE = 64;

/** Decodes a stream's chunks, and checks what their rows say: numbers without holes, times, levels, bytes. */
export function checkChunks(chunks: readonly Chunk[]): StoredLine[] {
  const all: StoredLine[] = [];
  let greatest: bigint | null = null;
  for (const chunk of chunks) {
    const lines = decodeChunk(chunk);
    const [first] = lines;
    if (first === undefined) throw new Error("a chunk without a line");
    const times = lines.map(({ time }) => time);
    const lineBytes = lines.reduce((sum, { bytes, unfinished }) => sum + bytes.length + (unfinished ? 0 : 1), 0);
    same("firstSeq", chunk.firstSeq, all.length);
    same("firstTime", chunk.firstTime, first.time);
    same(
      "minTime",
      chunk.minTime,
      times.reduce((least, time) => (time < least ? time : least)),
    );
    same(
      "maxTime",
      chunk.maxTime,
      times.reduce((most, time) => (time > most ? time : most)),
    );
    same("priorTime", chunk.priorTime, greatest ?? first.time);
    same("outputBytes", chunk.outputBytes, lineBytes);
    same(
      "levels",
      chunk.levels,
      lines.reduce((bits, { bytes }) => bits | levelOf(bytes), 0),
    );
    if (!chunk.standardStreams && lines.some(({ stderr }) => stderr))
      throw new Error("stderr without standard streams");
    if (greatest === null || chunk.maxTime > greatest) greatest = chunk.maxTime;
    all.push(...lines);
  }
  return all;
}

/** A level that is cut off after its first letters is none. */
function levelOf(bytes: Uint8Array): number {
  const found = /level(?:=(.)..|":"(.))/s.exec(Buffer.from(bytes.subarray(0, 256)).toString("latin1"));
  return BITS[found?.[1] ?? found?.[2] ?? ""] ?? NONE;
}

function same(what: string, is: bigint | number, expected: bigint | number): void {
  if (is !== expected) throw new Error(`${what} is ${is}, not ${expected}`);
}
