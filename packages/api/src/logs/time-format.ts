import { formatInstant, fromNanos } from "@tailrace/core";

/**
 * Formats times as core's `formatInstant` does, and remembers the last second: lines that follow one another are nearly
 * always of the same one.
 */
export class TimeFormat {
  #start = 0n;
  #text = formatInstant(0n).slice(0, 20);

  format(nanos: bigint): string {
    let within = Number(nanos - this.#start);
    if (within < 0 || within >= 1_000_000_000) {
      within = fromNanos(nanos).nanos;
      this.#start = nanos - BigInt(within);
      this.#text = formatInstant(this.#start).slice(0, 20);
    }
    return `${this.#text}${String(within).padStart(9, "0")}Z`;
  }
}
