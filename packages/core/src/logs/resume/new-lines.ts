import type { ChunkBuilder } from "../chunk/builder.ts";
import { Hash64 } from "../lines/hash.ts";
import { PIECE_BYTES } from "../lines/limits.ts";
import type { Marks } from "./marks.ts";
import { beginsLogLine, gluedAt } from "./unglue.ts";

/** A line outside of the builder. */
interface Line {
  bytes: Uint8Array<ArrayBuffer>;
  seconds: number;
  nanos: number;
  flags: number;
}

/**
 * Puts the lines of an answer that are none of the known ones into the builder, and their marks to the known ones. Where the
 * kubelet may have glued two lines into one, that line waits for the one behind it.
 */
export class NewLines {
  /** The marks of the newest known lines. */
  known: Marks;
  /** The time of the last known line; null before the first. */
  lastSeconds: number | null;
  /** New lines of this answer. */
  fresh = 0;
  /** Lines of another standard stream that were taken out of a long one. */
  unglued = 0;
  readonly #builder: ChunkBuilder;
  readonly #hash = new Hash64();
  /** A long line that may have another one glued into it. */
  #held: (Line & { head: number }) | null = null;
  /** A line that may be none: see {@link push}. */
  #waiting: Line | null = null;

  constructor(builder: ChunkBuilder, known: Marks) {
    this.#builder = builder;
    this.known = known;
    this.lastSeconds = known.length === 0 ? null : known.seconds(known.length - 1);
  }

  /** True while the answer's last line is certain only with the next one. */
  get waits(): boolean {
    return this.#waiting !== null;
  }

  /** An answer begins. */
  begin(): void {
    this.drop();
    this.fresh = 0;
  }

  /** Nothing is known any more. */
  forget(): void {
    this.known.clear();
    this.lastSeconds = null;
  }

  /** The output ends here: no other line was glued into the one that waits. */
  finish(): void {
    if (this.#held !== null) this.#put(this.#held);
    this.#held = null;
  }

  /** Forgets the lines that wait; they are in the next answer. */
  drop(): void {
    this.#held = null;
    this.#waiting = null;
  }

  /**
   * A line that lies behind the builder's end.
   *
   * @param waits - it may be no new line, which shows at the line behind it: that one is pushed only where it is one
   */
  push(length: number, seconds: number, nanos: number, hash: Hash64, flags: number, waits: boolean): void {
    const before = this.#waiting;
    if (before === null && !waits) return this.#new(length, seconds, nanos, hash, flags);
    const { bytes, end } = this.#builder;
    const line = { bytes: bytes.slice(end, end + length), seconds, nanos, flags };
    this.#waiting = waits ? line : null;
    if (before !== null) this.#newOutside(before);
    if (!waits) this.#newOutside(line);
  }

  #newOutside({ bytes, seconds, nanos, flags }: Line): void {
    this.#place(bytes);
    const { view, end } = this.#builder;
    this.#new(bytes.length, seconds, nanos, this.#hash.update(view, end, end + bytes.length), flags);
  }

  #new(length: number, seconds: number, nanos: number, hash: Hash64, flags: number): void {
    const { bytes, end } = this.#builder;
    if (this.#held !== null) {
      this.#afterHeld(this.#held, { bytes: bytes.slice(end, end + length), seconds, nanos, flags });
      return;
    }
    const head = length > PIECE_BYTES && flags === 0 ? gluedAt(bytes, end, end + length) : null;
    if (head !== null) this.#held = { bytes: bytes.slice(end, end + length), seconds, nanos, flags, head };
    else this.#keep(length, seconds, nanos, hash, flags);
  }

  #keep(length: number, seconds: number, nanos: number, hash: Hash64, flags: number): void {
    const { view, end } = this.#builder;
    this.known.pushLine(seconds, nanos, hash, view, end, end + length);
    this.#builder.line(end + length, seconds, nanos, flags);
    this.lastSeconds = seconds;
    this.fresh += 1;
  }

  #put({ bytes, seconds, nanos, flags }: Line): void {
    this.#place(bytes);
    const { view, end } = this.#builder;
    this.#keep(bytes.length, seconds, nanos, this.#hash.update(view, end, end + bytes.length), flags);
  }

  #afterHeld(held: Line & { head: number }, line: Line): void {
    this.#held = null;
    if (beginsLogLine(line.bytes, 0, line.bytes.length)) {
      this.#put(held);
      this.#put(line);
      return;
    }
    this.#unglue(held, line);
    this.unglued += 1;
  }

  /** The line that was glued in ended first, so it comes first; the other one is its head and the rest. What is known are the lines as the API gave them. */
  #unglue({ bytes, seconds, nanos, head }: Line & { head: number }, rest: Line): void {
    const builder = this.#builder;
    for (const raw of [{ bytes, seconds, nanos }, rest]) {
      const view = new DataView(raw.bytes.buffer);
      this.#hash.update(view, 0, raw.bytes.length);
      this.known.pushLine(raw.seconds, raw.nanos, this.#hash, view, 0, raw.bytes.length);
    }
    this.#place(bytes.subarray(head));
    builder.line(builder.end + bytes.length - head, seconds, nanos, 0);
    this.#place(bytes.subarray(0, head), rest.bytes);
    builder.line(builder.end + head + rest.bytes.length, seconds, nanos, rest.flags);
    builder.note(head, (rest.seconds - seconds) * 1_000_000_000 + rest.nanos - nanos);
    this.lastSeconds = rest.seconds;
    this.fresh += 2;
  }

  /** Writes bytes behind the builder's end. */
  #place(...parts: readonly Uint8Array[]): void {
    const builder = this.#builder;
    builder.reserve(parts.reduce((sum, part) => sum + part.length, 0));
    let at = builder.end;
    for (const part of parts) {
      builder.bytes.set(part, at);
      at += part.length;
    }
  }
}
