import { backoffMs } from "../supervisor/backoff.ts";
import type { Reading, ReadingEnd } from "./reading.ts";

/** A request that failed. */
export interface Failure {
  /** What to count it as. */
  code: string;
  /** In one line. */
  reason: string;
  /** True when it will not pass by itself. */
  refused: boolean;
}

/** Failures of a source in a row, and when it is to be given up for them. */
export class Trouble {
  readonly #reading: Pick<Reading, "onReopen" | "onProblem" | "pause">;
  #failures = 0;
  /** True where the source may be known as one that can't be read, from an earlier reading too. */
  #told = true;
  #since = 0;

  constructor(reading: Pick<Reading, "onReopen" | "onProblem" | "pause">) {
    this.#reading = reading;
  }

  /** The source has answered. */
  over(): void {
    if (this.#told) this.#reading.onProblem(null);
    this.#told = false;
    this.#failures = 0;
  }

  /**
   * Resolves after a pause, when the request is to be made again.
   *
   * @param heardAt - since when nothing was heard of the source, by `performance.now()`
   * @param patienceMs - how long it may say nothing
   * @returns null, or how the reading ends
   */
  async failed({ code, reason, refused }: Failure, heardAt: number, patienceMs: number): Promise<ReadingEnd | null> {
    const { onReopen, onProblem, pause } = this.#reading;
    if (this.#failures === 0) this.#since = heardAt;
    this.#failures += 1;
    this.#told = true;
    onReopen(code);
    if (this.#failures > 1 || refused) onProblem(reason);
    if (refused || performance.now() - this.#since > patienceMs) return { kind: "unavailable", reason, refused };
    await pause(backoffMs(this.#failures, Math.random()));
    return null;
  }
}
