/** Widths that people read easily, in milliseconds. */
const WIDTHS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, 86_400_000,
];

const WANTED_BUCKETS = 60;

/** The smallest readable width, in milliseconds, with at most about 60 buckets between two times in nanoseconds. */
export function bucketWidth(from: bigint, until: bigint): number {
  const spanMs = Number((until - from) / 1_000_000n);
  return (
    WIDTHS.find((width) => spanMs / width <= WANTED_BUCKETS) ??
    Math.ceil(spanMs / WANTED_BUCKETS / 86_400_000) * 86_400_000
  );
}
