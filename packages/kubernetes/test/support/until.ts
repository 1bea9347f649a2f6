import { setImmediate } from "node:timers/promises";

/** Waits for a condition; the test's own time limit is the longest. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}
