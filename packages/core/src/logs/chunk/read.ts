import { toNanos, fromNanos } from "../lines/instant.ts";
import { type Chunk, type ChunkMeta } from "./chunk.ts";
import { readNotes, type UngluedNote } from "./notes.ts";
import { unzigzag, VarintReader } from "./varint.ts";

/** A chunk whose payload does not say what its row says. */
export class ChunkError extends Error {
  override readonly name = "ChunkError";
}

/**
 * Walks through a chunk's lines. Nothing is copied: {@link start} and {@link end} are offsets into the payload.
 *
 * ```ts
 * for (const lines = new ChunkLines(chunk); lines.next(); ) use(lines.start, lines.end, lines.seconds);
 * ```
 */
export class ChunkLines {
  /** The line's place in its chunk; -1 before the first. */
  index = -1;
  start = 0;
  /** Behind the line's last byte, where its `\n` stands. */
  end = -1;
  seconds: number;
  nanos: number;
  flags = 0;
  readonly #chunk: Chunk;
  readonly #times: VarintReader;

  constructor(chunk: Chunk) {
    this.#chunk = chunk;
    this.#times = new VarintReader(chunk.payload, chunk.lineBytes);
    const { seconds, nanos } = fromNanos(chunk.firstTime);
    this.seconds = seconds;
    this.nanos = nanos;
  }

  get seq(): number {
    return this.#chunk.firstSeq + this.index;
  }

  /** Nanoseconds since the epoch. */
  get time(): bigint {
    return toNanos(this.seconds, this.nanos);
  }

  /** @returns false behind the last line @throws ChunkError */
  next(): boolean {
    if (this.index + 1 >= this.#chunk.lines) return false;
    this.index += 1;
    this.start = this.end + 1;
    this.end = this.#chunk.payload.indexOf(0x0a, this.start);
    if (this.end === -1 || this.end >= this.#chunk.lineBytes) throw new ChunkError(`line ${this.seq} has no end`);
    this.nextTime();
    return true;
  }

  /** Reads the next line's time and flags alone, for whoever finds the lines' ends by other means. */
  nextTime(): void {
    const coded = this.#times.next();
    this.flags = coded % 4;
    const distance = unzigzag((coded - this.flags) / 4);
    const nanos = this.nanos + distance;
    if (nanos >= 0 && nanos < 1_000_000_000) {
      this.nanos = nanos;
      return;
    }
    const seconds = Math.floor(nanos / 1_000_000_000);
    this.seconds += seconds;
    this.nanos = nanos - seconds * 1_000_000_000;
  }
}

/** The notes of a chunk. */
export function chunkNotes(chunk: Chunk): UngluedNote[] {
  return readNotes(chunk.payload.subarray(chunk.lineBytes + chunk.timeBytes, chunk.payloadBytes));
}

/** The greatest time of any line of the stream up to the chunk's end. */
export function runningMaximum({ priorTime, maxTime }: Pick<ChunkMeta, "priorTime" | "maxTime">): bigint {
  return priorTime > maxTime ? priorTime : maxTime;
}
