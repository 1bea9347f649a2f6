/** @throws RangeError for no values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values have no median");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A median with the least and the greatest value, which say how far it can be trusted. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** @throws RangeError for no values */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Milliseconds. */
export interface LagSummary {
  lines: number;
  p50: number;
  p99: number;
  max: number;
}

/** Keeps for each of many lines its time and how long after that it was somewhere. */
export class LagSamples {
  /** Time and lag of each line in turn, both in milliseconds. */
  #values = new Float64Array(1 << 16);
  #length = 0;

  /** @param time - milliseconds since the epoch */
  add(time: number, lag: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(this.#length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = time;
    this.#values[this.#length++] = lag;
  }

  /** @param settleMs - lines of so long after the first one do not count @returns null for no lines */
  summary(settleMs: number): LagSummary | null {
    let first = Infinity;
    for (let at = 0; at < this.#length; at += 2) first = Math.min(first, this.#values[at]!);
    const lags = new Float64Array(this.#length / 2);
    let lines = 0;
    for (let at = 0; at < this.#length; at += 2)
      if (this.#values[at]! >= first + settleMs) lags[lines++] = this.#values[at + 1]!;
    if (lines === 0) return null;
    const sorted = lags.subarray(0, lines).sort();
    const at = (share: number): number => sorted[Math.min(lines - 1, Math.floor(share * lines))]!;
    return { lines, p50: at(0.5), p99: at(0.99), max: sorted.at(-1)! };
  }
}
