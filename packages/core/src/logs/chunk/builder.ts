import { levelBit } from "../lines/level.ts";
import { toNanos } from "../lines/instant.ts";
import { withRoom } from "../lines/with-room.ts";
import { UNFINISHED, type Chunk } from "./chunk.ts";
import { writeNotes, type UngluedNote } from "./notes.ts";
import { writeVarint, zigzag } from "./varint.ts";

/** Lends the memory in which chunks are built; who takes a chunk gives its payload back when it is no longer needed. */
export interface BufferPool {
  /** @returns at least `size` bytes with any content */
  acquire(size: number): Uint8Array<ArrayBuffer>;
  release(buffer: ArrayBufferLike): void;
}

/** Lines of one second that were made elsewhere. */
export interface LineRun {
  lines: number;
  /** Each followed by its newline. */
  bytes: Uint8Array;
  /** Their distances and flags, the first one's from the builder's last line. */
  times: Uint8Array;
  levels: number;
  /** Of the times, the line before the run included. */
  minNanos: number;
  maxNanos: number;
  lastNanos: number;
}

/** About how many bytes of lines a full chunk has; the last line may exceed it. */
export const CHUNK_BYTES = 1024 * 1024;

const FIRST_BYTES = 16 * 1024;
const FIRST_TIMES = 1024;
const TIMES_PER_LINE = 9;
const BILLION = 1_000_000_000;

/** A distance that still fits a varint with its two flags. */
const MAX_DISTANCE = 2 ** 49;

/** Where a stream stands before its next line. */
export interface BuilderStart {
  nextSeq: number;
  /** The greatest time of any line so far; null before the first. */
  priorTime: { seconds: number; nanos: number } | null;
  standardStreams: boolean;
}

/**
 * Builds the chunks of one stream. A parser writes a line's bytes into {@link bytes} from {@link end} on, after
 * {@link reserve}, and then calls {@link line}; a line that is not finished in this way is not there.
 *
 * The fields are open for the sake of speed: millions of lines a second go through here.
 */
export class ChunkBuilder {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  /** Where the next line begins. */
  end = 0;
  /** Lines in the chunk that is being built. */
  lines = 0;
  readonly standardStreams: boolean;
  readonly #pool: BufferPool;
  #times: Uint8Array<ArrayBuffer>;
  #timesEnd = 0;
  #nextSeq: number;
  #notes: UngluedNote[] = [];
  #outputBytes = 0;
  #levels = 0;
  #firstSeconds = 0;
  #firstNanos = 0;
  #seconds = 0;
  #nanos = 0;
  #minSeconds = 0;
  #minNanos = 0;
  #maxSeconds = 0;
  #maxNanos = 0;
  #prior: BuilderStart["priorTime"];

  constructor(pool: BufferPool, start: BuilderStart) {
    this.#pool = pool;
    this.#nextSeq = start.nextSeq;
    this.#prior = start.priorTime;
    this.standardStreams = start.standardStreams;
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
    this.#times = new Uint8Array(0);
  }

  /** The seq of the next line. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** True when the chunk is large enough to be taken. */
  get full(): boolean {
    return this.end >= CHUNK_BYTES;
  }

  /** True when a line of this time can't be in the same chunk. */
  tooFar(seconds: number): boolean {
    return this.lines > 0 && Math.abs(seconds - this.#seconds) * BILLION >= MAX_DISTANCE;
  }

  /** Nanoseconds of the last line in the chunk, if that is of the given second; else -1. */
  nanosIn(seconds: number): number {
    return this.lines > 0 && this.#seconds === seconds ? this.#nanos : -1;
  }

  /** Makes room for so many bytes behind {@link end}, and for a line's newline. */
  reserve(size: number): void {
    const needed = this.end + size + 8;
    if (needed <= this.bytes.length) return;
    const grown = this.#pool.acquire(Math.max(needed, Math.min(this.bytes.length * 2, CHUNK_BYTES * 2), FIRST_BYTES));
    grown.set(this.bytes.subarray(0, this.end));
    if (this.bytes.length > 0) this.#pool.release(this.bytes.buffer);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /**
   * Completes the line that stands from {@link end} to `to`.
   *
   * @param flags - {@link STDERR} and {@link UNFINISHED}
   */
  line(to: number, seconds: number, nanos: number, flags: number): void {
    if (this.lines === 0) this.#begin(seconds, nanos);
    else this.#extend(seconds, nanos);
    const distance = (seconds - this.#seconds) * BILLION + (nanos - this.#nanos);
    if (this.#timesEnd + TIMES_PER_LINE > this.#times.length) this.#reserveTimes(FIRST_TIMES);
    this.#timesEnd = writeVarint(this.#times, this.#timesEnd, zigzag(distance) * 4 + flags);
    this.#seconds = seconds;
    this.#nanos = nanos;
    this.#levels |= levelBit(this.view, this.bytes, this.end, to);
    this.#outputBytes += to - this.end + ((flags & UNFINISHED) === 0 ? 1 : 0);
    this.bytes[to] = 0x0a;
    this.end = to + 1;
    this.lines += 1;
  }

  /** Takes whole lines of the last line's second. */
  run({ lines, bytes, times, levels, minNanos, maxNanos, lastNanos }: LineRun): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
    this.#reserveTimes(times.length);
    this.#times.set(times, this.#timesEnd);
    this.#timesEnd += times.length;
    this.#extend(this.#seconds, minNanos);
    this.#extend(this.#seconds, maxNanos);
    this.#nanos = lastNanos;
    this.#levels |= levels;
    this.#outputBytes += bytes.length;
    this.lines += lines;
  }

  /** Says of the last line that another one was taken out of it. */
  note(head: number, restDelay: number): void {
    this.#notes.push({ index: this.lines - 1, head, restDelay });
  }

  /** The lines so far as a chunk, and begins the next one; null when there is none. The payload belongs to the caller. */
  take(): Chunk | null {
    if (this.lines === 0) return null;
    const notes = writeNotes(this.#notes);
    const lineBytes = this.end;
    this.reserve(this.#timesEnd + notes.length);
    this.bytes.set(this.#times.subarray(0, this.#timesEnd), lineBytes);
    this.bytes.set(notes, lineBytes + this.#timesEnd);
    const payloadBytes = lineBytes + this.#timesEnd + notes.length;
    const firstTime = toNanos(this.#firstSeconds, this.#firstNanos);
    const chunk: Chunk = {
      firstSeq: this.#nextSeq,
      lines: this.lines,
      lineBytes,
      timeBytes: this.#timesEnd,
      payloadBytes,
      outputBytes: this.#outputBytes,
      firstTime,
      minTime: toNanos(this.#minSeconds, this.#minNanos),
      maxTime: toNanos(this.#maxSeconds, this.#maxNanos),
      priorTime: this.#prior === null ? firstTime : toNanos(this.#prior.seconds, this.#prior.nanos),
      levels: this.#levels,
      standardStreams: this.standardStreams,
      payload: this.bytes.subarray(0, payloadBytes),
    };
    this.#advance();
    return chunk;
  }

  /** Forgets the lines since the last {@link take}. */
  discard(): void {
    this.end = 0;
    this.lines = 0;
    this.#timesEnd = 0;
    this.#notes = [];
    this.#outputBytes = 0;
    this.#levels = 0;
  }

  #advance(): void {
    if (this.#prior === null || isLater(this.#maxSeconds, this.#maxNanos, this.#prior.seconds, this.#prior.nanos))
      this.#prior = { seconds: this.#maxSeconds, nanos: this.#maxNanos };
    this.#nextSeq += this.lines;
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
    this.discard();
  }

  #begin(seconds: number, nanos: number): void {
    this.#firstSeconds = this.#seconds = this.#minSeconds = this.#maxSeconds = seconds;
    this.#firstNanos = this.#nanos = this.#minNanos = this.#maxNanos = nanos;
  }

  #extend(seconds: number, nanos: number): void {
    if (isLater(seconds, nanos, this.#maxSeconds, this.#maxNanos)) {
      this.#maxSeconds = seconds;
      this.#maxNanos = nanos;
    } else if (isLater(this.#minSeconds, this.#minNanos, seconds, nanos)) {
      this.#minSeconds = seconds;
      this.#minNanos = nanos;
    }
  }

  #reserveTimes(size: number): void {
    this.#times = withRoom(this.#times, this.#timesEnd, this.#timesEnd + size);
  }
}

function isLater(seconds: number, nanos: number, thanSeconds: number, thanNanos: number): boolean {
  return seconds > thanSeconds || (seconds === thanSeconds && nanos > thanNanos);
}
