import type { LineKey } from "@tailrace/core";
import { compareIn, type Direction } from "./chunk-order.ts";

export interface Match extends LineKey {
  /** Bytes of the line. */
  size: number;
}

export interface MatchLimits {
  matches: number;
  /** Of all lines together; one line is taken whatever its size. */
  bytes: number;
}

/** The matches that a page may have: of all that were found, the first ones in the direction of reading. */
export class MatchList {
  readonly #direction: Direction;
  readonly #limits: MatchLimits;
  #matches: Match[] = [];
  /** The first one for which there was no room: nothing behind it may come on the page without it. */
  #dropped: Match | null = null;

  constructor(direction: Direction, limits: MatchLimits) {
    this.#direction = direction;
    this.#limits = limits;
  }

  /** In the direction of reading. */
  get matches(): readonly Match[] {
    return this.#matches;
  }

  /** True when there would have been room for more matches, but not for their bytes. */
  get cut(): boolean {
    return this.#dropped !== null && this.#matches.length < this.#limits.matches;
  }

  add(found: readonly Match[]): void {
    const dropped = this.#dropped;
    const near = dropped === null ? found : found.filter((match) => this.#compare(match, dropped) < 0);
    const merged = [...this.#matches, ...near].sort((a, b) => this.#compare(a, b));
    let bytes = 0;
    let count = 0;
    for (const { size } of merged) {
      bytes += size;
      if (count === this.#limits.matches || (bytes > this.#limits.bytes && count > 0)) break;
      count += 1;
    }
    this.#dropped = merged[count] ?? dropped;
    this.#matches = merged.slice(0, count);
  }

  /** True when nothing that comes from `bound` on can change the list. @param bound - null when there is nothing more */
  isFinal(bound: LineKey | null): boolean {
    const last = this.#matches.at(-1);
    if (last === undefined || (this.#dropped === null && this.#matches.length < this.#limits.matches)) return false;
    return bound === null || this.#compare(last, bound) < 0;
  }

  /** Drops what does not come before a key in the direction of reading. */
  dropFrom(bound: LineKey): void {
    this.#matches = this.#matches.filter((match) => this.#compare(match, bound) < 0);
  }

  #compare(a: LineKey, b: LineKey): number {
    return compareIn(this.#direction, a, b);
  }
}
