import {
  ChunkLines,
  levelBit,
  levelOfBit,
  RunningMaximum,
  STDERR,
  UNFINISHED,
  type Chunk,
  type LogLine,
} from "@tailrace/core";

/** Walks through a chunk's lines as readers see them. */
export class LogLines {
  readonly #chunk: Chunk;
  readonly #ordinal: number;
  readonly #lines: ChunkLines;
  readonly #maximum: RunningMaximum;
  readonly #view: DataView;

  constructor(chunk: Chunk, ordinal: number) {
    this.#chunk = chunk;
    this.#ordinal = ordinal;
    this.#lines = new ChunkLines(chunk);
    this.#maximum = new RunningMaximum(chunk.priorTime);
    this.#view = new DataView(chunk.payload.buffer, chunk.payload.byteOffset, chunk.payload.byteLength);
  }

  get seq(): number {
    return this.#lines.seq;
  }

  /** The running maximum, in nanoseconds since the epoch. */
  get maximum(): bigint {
    return this.#maximum.time;
  }

  /** @returns false behind the last line @throws ChunkError */
  next(): boolean {
    if (!this.#lines.next()) return false;
    this.#maximum.update(this.#lines);
    return true;
  }

  /** The line, its bytes in the chunk's memory. */
  line(): LogLine {
    const { seq, start, end, flags, time } = this.#lines;
    return toLogLine(this.#chunk, this.#view, { ordinal: this.#ordinal, seq, start, end, flags, time });
  }
}

/** Where a line is in its chunk's payload, and what is not said there. */
export interface LinePlace {
  ordinal: number;
  seq: number;
  start: number;
  end: number;
  flags: number;
  /** Nanoseconds since the epoch. */
  time: bigint;
}

/** A line as readers see it, its bytes in the chunk's memory. @param view - of the payload */
export function toLogLine({ payload, standardStreams }: Chunk, view: DataView, place: LinePlace): LogLine {
  const { ordinal, seq, start, end, flags, time } = place;
  return {
    kind: "line",
    ordinal,
    seq,
    time,
    level: levelOfBit(levelBit(view, payload, start, end)),
    standardStream: standardStreams ? ((flags & STDERR) === 0 ? "stdout" : "stderr") : null,
    unfinished: (flags & UNFINISHED) !== 0,
    bytes: payload.subarray(start, end),
    context: false,
  };
}
