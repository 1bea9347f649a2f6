import { ChunkLines, RunningMaximum, toNanos, type Chunk, type LogLine } from "@tailrace/core";
import { toLogLine } from "./log-lines.ts";

/** Bytes that are kept for a line besides its own. */
const INDEX_BYTES = 4 + 8 + 4 + 4 + 1;

/** A decompressed chunk whose lines are read in any order. */
export class OpenChunk {
  readonly firstSeq: number;
  readonly lines: number;
  /** What it takes in memory, about. */
  readonly size: number;
  readonly #chunk: Chunk;
  readonly #view: DataView;
  readonly #ends: Uint32Array;
  readonly #seconds: Float64Array;
  readonly #nanos: Int32Array;
  readonly #flags: Uint8Array;
  /** For each line how many lines of the chunk come up to the one with the running maximum; 0 where it is from before. */
  readonly #maxima: Uint32Array;

  /** @throws ChunkError */
  constructor(chunk: Chunk) {
    const { payload, lines } = chunk;
    this.firstSeq = chunk.firstSeq;
    this.lines = lines;
    this.size = payload.buffer.byteLength + lines * INDEX_BYTES;
    this.#chunk = chunk;
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#ends = new Uint32Array(lines);
    this.#seconds = new Float64Array(lines);
    this.#nanos = new Int32Array(lines);
    this.#flags = new Uint8Array(lines);
    this.#maxima = new Uint32Array(lines);
    this.#index();
  }

  /** The greatest time that the stream has had up to a line, in nanoseconds since the epoch. */
  maximum(index: number): bigint {
    const greatest = this.#maxima[index]!;
    return greatest === 0 ? this.#chunk.priorTime : this.#time(greatest - 1);
  }

  /** A line, its bytes in the chunk's memory. */
  line(index: number, ordinal: number): LogLine {
    const start = index === 0 ? 0 : this.#ends[index - 1]! + 1;
    return toLogLine(this.#chunk, this.#view, {
      ordinal,
      seq: this.firstSeq + index,
      time: this.#time(index),
      flags: this.#flags[index]!,
      start,
      end: this.#ends[index]!,
    });
  }

  #time(index: number): bigint {
    return toNanos(this.#seconds[index]!, this.#nanos[index]!);
  }

  #index(): void {
    let greatest = 0;
    const maximum = new RunningMaximum(this.#chunk.priorTime);
    for (const line = new ChunkLines(this.#chunk); line.next();) {
      const { index } = line;
      if (!maximum.reaches(line)) greatest = index + 1;
      maximum.update(line);
      this.#ends[index] = line.end;
      this.#seconds[index] = line.seconds;
      this.#nanos[index] = line.nanos;
      this.#flags[index] = line.flags;
      this.#maxima[index] = greatest;
    }
  }
}
