import { MAX_LINE_BYTES } from "../lines/limits.ts";

/** The beginning of a line whose end has not come yet. */
export interface PendingLine {
  stderr: boolean;
  /** Of the line's first entry. */
  seconds: number;
  nanos: number;
  bytes: Uint8Array;
}

/** What of one standard stream is not a line yet. */
class Slot {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  length = 0;
  /** True from a line's first entry to its last, also while no byte came. */
  open = false;
  seconds = 0;
  nanos = 0;

  append(from: Uint8Array): void {
    const needed = this.length + from.length;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(from, this.length);
    this.length = needed;
  }

  close(): void {
    this.bytes = new Uint8Array(0);
    this.length = 0;
    this.open = false;
  }
}

/** Joins the entries of a line, for stdout and stderr apart; memory is bounded by {@link MAX_LINE_BYTES} for each. */
export class LineJoiner {
  readonly #slots = [new Slot(), new Slot()] as const;

  constructor(pending: readonly PendingLine[]) {
    for (const { stderr, seconds, nanos, bytes } of pending) this.append(stderr, seconds, nanos, bytes);
  }

  /** True while any line is unfinished. */
  get any(): boolean {
    return this.#slots[0].open || this.#slots[1].open;
  }

  isOpen(stderr: boolean): boolean {
    return this.#slot(stderr).open;
  }

  /** Adds an entry's text; the time counts where it is the line's first. */
  append(stderr: boolean, seconds: number, nanos: number, bytes: Uint8Array): void {
    const slot = this.#slot(stderr);
    if (!slot.open) {
      slot.open = true;
      slot.seconds = seconds;
      slot.nanos = nanos;
    }
    slot.append(bytes);
  }

  /** What is more than a line may be, cut off its front; null while the line fits. */
  overflow(stderr: boolean): PendingLine | null {
    const slot = this.#slot(stderr);
    if (slot.length <= MAX_LINE_BYTES) return null;
    const front = slot.bytes.slice(0, MAX_LINE_BYTES);
    slot.bytes.copyWithin(0, MAX_LINE_BYTES, slot.length);
    slot.length -= MAX_LINE_BYTES;
    return { stderr, seconds: slot.seconds, nanos: slot.nanos, bytes: front };
  }

  /** The whole line, which is no longer pending. */
  take(stderr: boolean): PendingLine {
    const slot = this.#slot(stderr);
    const line = { stderr, seconds: slot.seconds, nanos: slot.nanos, bytes: slot.bytes.subarray(0, slot.length) };
    slot.close();
    return line;
  }

  /** Copies of what is pending. */
  pending(): PendingLine[] {
    return [false, true].flatMap((stderr) => {
      const { open, seconds, nanos, bytes, length } = this.#slot(stderr);
      return open ? [{ stderr, seconds, nanos, bytes: bytes.slice(0, length) }] : [];
    });
  }

  #slot(stderr: boolean): Slot {
    return stderr ? this.#slots[1] : this.#slots[0];
  }
}
