const LEVELS = ["info", "info", "info", "info", "debug", "warning", "error"] as const;
const WORDS = "login checkout status 200 duration ms user cart retry GET https://shop.example/api/items/".split(" ");

/** What every line ends with. */
const END = '" source=console';

/** Lines as long as this, about, newline included. */
export const LINE_BYTES = 128;

/**
 * Makes numbered lines that look like those of k6's `console.log`, the same ones for the same seed: a level, a number, 16 random
 * hex digits and random words of a load test.
 */
export class K6Lines {
  readonly #stream: string;
  #state: number;

  constructor(stream: string, seed: number) {
    this.#stream = stream;
    this.#state = seed | 0;
  }

  /** @param time - as k6 writes it, a second's ISO 8601 text @returns ASCII without a newline */
  line(n: number, time: string): string {
    const level = LEVELS[this.#below(LEVELS.length)]!;
    let line = `time="${time}" level=${level} msg="stream=${this.#stream} n=${n} trace=${this.#hex()}${this.#hex()}`;
    while (line.length + END.length + 1 < LINE_BYTES) line += ` ${WORDS[this.#below(WORDS.length)]!}`;
    return line + END;
  }

  #below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  #hex(): string {
    return this.#next().toString(16).padStart(8, "0");
  }

  /** Mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
