/** From one look at a file that grows to the next, in milliseconds. */
const BUSY_MS = 100;

/** The longest wait for a container that says nothing. */
const QUIET_MS = 2000;

/**
 * How long to wait before a file is looked at again: every 100 ms while it grows, then less and less often, up to every
 * 1 to 2 s. What was added while a large piece was read is looked for at once.
 *
 * @param quiet - how many looks in a row brought nothing
 * @param tookMs - how long the last one took
 * @param bytes - what the last one brought
 * @param random - a number in [0, 1), so that many streams do not come together
 */
export function nextPollMs(quiet: number, tookMs: number, bytes: number, random: number): number {
  if (quiet === 0) return bytes === 0 ? 0 : Math.max(0, BUSY_MS - tookMs);
  const full = Math.min(QUIET_MS, BUSY_MS * 2 ** Math.min(quiet - 1, 6));
  return full / 2 + (full / 2) * random;
}
