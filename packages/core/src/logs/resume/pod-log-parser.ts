import type { ChunkBuilder } from "../chunk/builder.ts";
import { UNFINISHED } from "../chunk/chunk.ts";
import { copyLine } from "../lines/copy-line.ts";
import { Hash64 } from "../lines/hash.ts";
import { MAX_LINE_BYTES } from "../lines/limits.ts";
import { StampReader } from "../lines/stamp.ts";
import { withRoom } from "../lines/with-room.ts";

/** Takes what a log answer consists of. */
export interface PodLogSink {
  /** The builder's chunk must be taken before the next line. */
  full(): void;
  /**
   * A line whose text lies in the builder from its `end` on. Whoever wants to keep it calls the builder's `line`.
   *
   * @param flags - `UNFINISHED` for a part of a line that is longer than may be
   */
  line(length: number, seconds: number, nanos: number, hash: Hash64, flags: number): void;
  /** A line without a time: the rest of one that was filtered out, or what the kubelet itself says. */
  unstamped(text: Uint8Array): void;
}

/** What surely holds a time and the space behind it. */
const STAMP_BYTES = 40;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Takes answers of `GET …/pods/{name}/log?timestamps=true` apart, each line as soon as it is whole. */
export class PodLogParser {
  readonly #builder: ChunkBuilder;
  readonly #sink: PodLogSink;
  readonly #stamp = new StampReader();
  readonly #hash = new Hash64();
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  #restBytes = 0;
  #stopped = false;
  #lastFlags = 0;

  constructor(builder: ChunkBuilder, sink: PodLogSink) {
    this.#builder = builder;
    this.#sink = sink;
  }

  /** What came behind the last newline. */
  get rest(): Uint8Array {
    return this.#rest.subarray(0, this.#restBytes);
  }

  /** Nothing more is passed on, not even of what was pushed already. */
  stop(): void {
    this.#stopped = true;
  }

  /** Another answer begins. */
  begin(): void {
    this.#restBytes = 0;
    this.#stopped = false;
  }

  /** Takes the answer's next bytes; they may be overwritten afterwards. */
  push(bytes: Uint8Array): void {
    if (this.#stopped) return;
    let at = 0;
    if (this.#restBytes > 0) {
      const newline = bytes.indexOf(NEWLINE);
      at = newline === -1 ? bytes.length : newline + 1;
      this.#keep(bytes, 0, at);
      this.#cut();
      if (newline === -1) return;
      const whole = this.#restBytes;
      this.#restBytes = 0;
      this.#lines(this.#rest, 0, whole);
    }
    at = this.#lines(bytes, at, bytes.length);
    if (at < bytes.length) {
      this.#keep(bytes, at, bytes.length);
      this.#cut();
    }
  }

  /** The last line of an answer that ended well has no newline of its own when its container's had none. */
  finish(): void {
    if (this.#restBytes === 0 || this.#stopped) return;
    this.#lastFlags = UNFINISHED;
    this.#keep(Uint8Array.of(NEWLINE), 0, 1);
    const whole = this.#restBytes;
    this.#restBytes = 0;
    this.#lines(this.#rest, 0, whole);
    this.#lastFlags = 0;
  }

  /** @returns the offset of the first line that is not whole */
  #lines(bytes: Uint8Array, from: number, end: number): number {
    const builder = this.#builder;
    const stamp = this.#stamp;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = from;
    while (at < end && !this.#stopped) {
      if (end - at < STAMP_BYTES && !hasNewline(bytes, at, end)) break;
      if (stamp.read(view, at, Math.min(end, at + STAMP_BYTES)) && view.getUint8(stamp.end) === SPACE) {
        const text = stamp.end + 1;
        if (builder.full || builder.tooFar(stamp.seconds)) this.#sink.full();
        builder.reserve(end - text);
        const length = copyLine(view, text, end, builder.view, builder.end);
        if (length === -1) break;
        if (length > MAX_LINE_BYTES) this.#parts(bytes.subarray(text, text + length), stamp.seconds, stamp.nanos);
        else this.#given(length, stamp.seconds, stamp.nanos, this.#lastFlags);
        at = text + length + 1;
      } else {
        const newline = bytes.indexOf(NEWLINE, at);
        if (newline === -1 || newline >= end) break;
        this.#sink.unstamped(bytes.subarray(at, newline));
        at = newline + 1;
      }
    }
    return at;
  }

  /** The text lies behind the builder's end. */
  #given(length: number, seconds: number, nanos: number, flags: number): void {
    const { view, end } = this.#builder;
    this.#sink.line(length, seconds, nanos, this.#hash.update(view, end, end + length), flags);
  }

  #parts(text: Uint8Array, seconds: number, nanos: number): void {
    for (let at = 0; at < text.length && !this.#stopped; at += MAX_LINE_BYTES) {
      const last = at + MAX_LINE_BYTES >= text.length;
      this.#part(text.subarray(at, at + MAX_LINE_BYTES), seconds, nanos, last ? this.#lastFlags : UNFINISHED);
    }
  }

  #part(text: Uint8Array, seconds: number, nanos: number, flags: number): void {
    const builder = this.#builder;
    if (builder.full || builder.tooFar(seconds)) this.#sink.full();
    builder.reserve(text.length);
    builder.bytes.set(text, builder.end);
    this.#given(text.length, seconds, nanos, flags);
  }

  /** A line that is too long is passed on in parts; its rest keeps the time. */
  #cut(): void {
    const view = new DataView(this.#rest.buffer);
    while (this.#restBytes > MAX_LINE_BYTES && !this.#stopped) {
      if (!this.#stamp.read(view, 0, STAMP_BYTES)) {
        this.#sink.unstamped(this.#rest.subarray(0, this.#restBytes));
        this.#restBytes = 0;
        return;
      }
      const { seconds, nanos, end } = this.#stamp;
      const text = end + 1;
      const behind = text + MAX_LINE_BYTES;
      // The newline itself does not count, and a line of just the limit is whole.
      if (this.#restBytes - behind < 2) return;
      this.#part(this.#rest.subarray(text, behind), seconds, nanos, UNFINISHED);
      this.#rest.copyWithin(text, behind, this.#restBytes);
      this.#restBytes -= MAX_LINE_BYTES;
    }
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#restBytes + end - start;
    this.#rest = withRoom(this.#rest, this.#restBytes, needed);
    this.#rest.set(bytes.subarray(start, end), this.#restBytes);
    this.#restBytes = needed;
  }
}

function hasNewline(bytes: Uint8Array, start: number, end: number): boolean {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline !== -1 && newline < end;
}
