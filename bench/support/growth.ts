/** How much something grows in an hour, by least squares. */
export interface Growth {
  perHour: number;
  /** Standard error of that. */
  error: number;
}

/** @param points - seconds and value @returns null for fewer than three points, which have no error */
export function growthPerHour(points: readonly (readonly [number, number])[]): Growth | null {
  const { length } = points;
  if (length < 3) return null;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / length;
  const squares = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (squares === 0) return null;
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / squares;
  const residue = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { perHour: slope * 3600, error: Math.sqrt(residue / (length - 2) / squares) * 3600 };
}
