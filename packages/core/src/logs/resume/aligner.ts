import { PIECE_BYTES } from "../lines/limits.ts";
import type { LineMark, Marks } from "./marks.ts";

/** What a line is that was received while the place is looked for. */
export type Alignment =
  /** It may be a line that is known: nothing new yet. */
  | "known"
  /** The place is found, and this line is the first new one. */
  | "new"
  /** What was received does not continue what is known. */
  | "none";

/**
 * Finds where received lines continue known ones, by comparing the two as sequences. Received is what a file holds from
 * some line on; known is what was read before, as far as it passes the same filter. So either the known lines come again
 * from the first on, or, where the file was rotated, from a later one on.
 *
 * A file may also begin inside a line: the kubelet rotates whenever it wants, and the runtime then writes what it has of a
 * line into the old file, however short that is, and the rest into the new one (containerd, `ReopenContainerLog`). Its first
 * line is then the end of a known one under a time of its own, and is left out. That the lines behind it are those behind the
 * known one shows it. Where none are known only a long line's pieces do: other lines end alike too often.
 *
 * An offset `k` is alive while `known[k + i]` is `received[i]` for all `i` so far. The smallest alive one is right when
 * everything known from it on was received.
 */
export class Aligner {
  /** The first received line, where it was the end of a known one. */
  headRest: LineMark | null = null;
  readonly #known: Marks;
  #received = 0;
  #alive: number[] | null = null;
  #aligned: boolean;

  constructor(known: Marks) {
    this.#known = known;
    this.#aligned = known.length === 0;
  }

  /** True when every further line is new. */
  get aligned(): boolean {
    return this.#aligned;
  }

  /** True when the place would be found if nothing more came. */
  get endsAligned(): boolean {
    return this.#aligned || this.#alive?.some((k) => this.#isComplete(k)) === true;
  }

  /** @param text - the line's bytes, where they are at hand */
  push(line: LineMark, text: Uint8Array | null = null): Alignment {
    if (this.#aligned) return "new";
    if (this.#alive === null) {
      this.#alive = this.#begin(line, text);
      if (this.headRest !== null) return "known";
    } else this.#alive = this.#alive.filter((k) => this.#isComplete(k) || this.#known.is(k + this.#received, line));
    const [smallest] = this.#alive;
    if (smallest === undefined) return "none";
    this.#aligned = this.#isComplete(smallest);
    if (this.#aligned) return "new";
    this.#received += 1;
    this.#aligned = this.#isComplete(smallest);
    return "known";
  }

  /** Everything known from there on was received. */
  #isComplete(k: number): boolean {
    return k + this.#received >= this.#known.length;
  }

  #begin(line: LineMark, text: Uint8Array | null): number[] {
    const offsets = Array.from({ length: this.#known.length }, (_, index) => index);
    const alive = offsets.filter((k) => this.#known.is(k, line));
    if (alive.length > 0) return alive;
    this.headRest = line;
    // Behind a known line, or behind one that did not pass the filter; and behind the very last one.
    if (text !== null && this.#endsLastLine(line, text)) offsets.push(offsets.length);
    return offsets;
  }

  /** A later piece is written within a second of the first, and the pieces before it are whole. */
  #endsLastLine({ seconds, nanos }: LineMark, text: Uint8Array): boolean {
    const last = this.#known.length - 1;
    const { lastLine } = this.#known;
    const after = (seconds - this.#known.seconds(last)) * 1_000_000_000 + (nanos - this.#known.nanos(last));
    const before = lastLine.length - text.length;
    if (after < 0 || after >= 1_000_000_000 || before <= 0 || before % PIECE_BYTES !== 0) return false;
    return text.length > 0 && lastLine.subarray(before).every((byte, index) => byte === text[index]);
  }
}
