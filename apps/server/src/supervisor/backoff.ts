/**
 * The pause before the next try: doubled from 250 ms to 5 s, and a random half of it, so that many that failed
 * together do not come back together.
 *
 * @param failures - how many tries failed in a row, from 1
 * @param random - a number in [0, 1)
 */
export function backoffMs(failures: number, random: number): number {
  const full = Math.min(5000, 250 * 2 ** Math.min(failures - 1, 10));
  return full / 2 + (full / 2) * random;
}
