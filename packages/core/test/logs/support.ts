import {
  ChunkBuilder,
  ChunkLines,
  CriParser,
  FILE_START,
  type Chunk,
  type FilePlace,
  type PendingLine,
} from "../../src/index.ts";
import { utf8 } from "./model/bytes.ts";
import { GarbagePool } from "./model/pool.ts";

/** A line as a test writes it down. */
export interface ShownLine {
  text: string;
  time: bigint;
  stderr: boolean;
  unfinished: boolean;
}

export function newBuilder(standardStreams: boolean): ChunkBuilder {
  return new ChunkBuilder(new GarbagePool(), { nextSeq: 0, priorTime: null, standardStreams });
}

/** The lines of a chunk, whose bytes are read as Latin-1. */
export function linesOf(chunk: Chunk | null): ShownLine[] {
  const lines: ShownLine[] = [];
  if (chunk === null) return lines;
  for (const at = new ChunkLines(chunk); at.next();) {
    const text = Buffer.from(chunk.payload.subarray(at.start, at.end)).toString("latin1");
    lines.push({ text, time: at.time, stderr: (at.flags & 1) !== 0, unfinished: (at.flags & 2) !== 0 });
  }
  return lines;
}

export function textsOf(chunk: Chunk | null): string[] {
  return linesOf(chunk).map(({ text }) => text);
}

/** Bytes in pieces whose memory is used again after each. */
export function inPieces(bytes: Uint8Array, sizes: readonly number[], push: (piece: Uint8Array) => void): void {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    const piece = bytes.slice(at, at + size);
    push(piece);
    piece.fill(0x0a);
    at += size;
  }
}

/** What was read of one of the node's log files. */
export interface ReadFile {
  parser: CriParser;
  builder: ChunkBuilder;
  /** Chunks that had to be taken meanwhile. */
  full: Chunk[];
}

export function readFile(
  file: string | Uint8Array,
  {
    place = FILE_START,
    pending = [],
    sizes = [],
  }: { place?: FilePlace; pending?: PendingLine[]; sizes?: number[] } = {},
): ReadFile {
  const builder = newBuilder(true);
  const full: Chunk[] = [];
  const parser = new CriParser(builder, place, pending, () => void full.push(builder.take()!));
  inPieces(typeof file === "string" ? utf8(file) : file, sizes, (piece) => parser.push(piece));
  return { parser, builder, full };
}

/** All lines, also those of chunks that were full. */
export function linesRead({ builder, full }: ReadFile): ShownLine[] {
  return [...full, builder.take()].flatMap(linesOf);
}
