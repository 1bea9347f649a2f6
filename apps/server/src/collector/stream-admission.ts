import type { Admission } from "./reading.ts";

/** Shorter waits are those for a database that keeps up. */
const WAIT_MS = 1000;

/** Lines that are found to be gone so soon after a wait are gone because of it. */
const AFTERMATH_MS = 60_000;

/** Lets streams read when there is room for what they read, and knows whether that made them too late. */
export class StreamAdmission implements Admission {
  readonly #admission: Admission;
  #waitedAt = -Infinity;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** Why lines are gone that were not read in time. */
  get reasonOfLoss(): "spool_full" | "rotated" {
    return performance.now() - this.#waitedAt < AFTERMATH_MS ? "spool_full" : "rotated";
  }

  mayRead(inCurrentFile: boolean): boolean {
    return this.#admission.mayRead(inCurrentFile);
  }

  async admission(inCurrentFile: boolean, signal: AbortSignal): Promise<void> {
    const begun = performance.now();
    await this.#admission.admission(inCurrentFile, signal);
    const now = performance.now();
    if (now - begun > WAIT_MS) this.#waitedAt = now;
  }
}
