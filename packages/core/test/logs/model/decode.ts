import type { Chunk } from "../../../src/index.ts";

/** A line as a chunk has it. */
export interface StoredLine {
  seq: number;
  time: bigint;
  bytes: Uint8Array;
  stderr: boolean;
  unfinished: boolean;
  /** That the line before was glued into this one behind so many bytes, and its rest came so much later. */
  note: { head: number; delay: bigint } | null;
}

/** Reads a chunk's payload by what `chunk.ts` and `notes.ts` say of it, and nothing else. */
export function decodeChunk(chunk: Chunk): StoredLine[] {
  const { payload, lineBytes, timeBytes, payloadBytes } = chunk;
  if (payload.length !== payloadBytes) throw new Error(`a payload of ${payload.length} bytes says ${payloadBytes}`);
  const times = varints(payload.subarray(lineBytes, lineBytes + timeBytes));
  const notes = varints(payload.subarray(lineBytes + timeBytes));
  if (times.length !== chunk.lines) throw new Error(`${times.length} times for ${chunk.lines} lines`);
  if (notes.length % 3 !== 0) throw new Error(`${notes.length} numbers in the notes`);
  const lines: StoredLine[] = [];
  let start = 0;
  let time = chunk.firstTime;
  for (const [index, coded] of times.entries()) {
    const end = payload.indexOf(0x0a, start);
    if (end === -1 || end >= lineBytes) throw new Error(`line ${index} has no newline`);
    time += signed(coded >> 2n);
    const bytes = payload.slice(start, end);
    const flags = Number(coded & 3n);
    lines.push({
      seq: chunk.firstSeq + index,
      time,
      bytes,
      stderr: (flags & 1) !== 0,
      unfinished: (flags & 2) !== 0,
      note: null,
    });
    start = end + 1;
  }
  if (start !== lineBytes) throw new Error(`${lineBytes - start} bytes behind the last line`);
  for (let at = 0; at < notes.length; at += 3)
    lines[Number(notes[at])]!.note = { head: Number(notes[at + 1]), delay: signed(notes[at + 2]!) };
  return lines;
}

function varints(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte >= 128) continue;
    values.push(value);
    value = 0n;
    shift = 0n;
  }
  if (shift !== 0n) throw new Error("a varint has no end");
  return values;
}

function signed(value: bigint): bigint {
  return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n;
}
