const FIRST_MS = 200;
const MOST_MS = 5_000;

/**
 * How long to wait before another attempt, in milliseconds: twice as long each time, and up to a quarter less by chance,
 * so that many clients do not come back at the same moment.
 *
 * @param attempt - how many have failed before, from 0
 * @param chance - 0 to 1
 */
export function backoff(attempt: number, chance: number = Math.random()): number {
  return Math.min(MOST_MS, FIRST_MS * 2 ** attempt) * (1 - chance / 4);
}
