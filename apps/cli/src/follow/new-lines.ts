/** What a later snapshot of a growing log adds to an earlier one. */
export interface Growth {
  /** In order; all of the later snapshot where the two have nothing in common. */
  lines: string[];
  /** True when lines between the two snapshots are in neither: they do not overlap. */
  missing: boolean;
}

/**
 * Finds what is new. Both snapshots are the last lines of the same log, so that the end of the earlier one is the
 * beginning of the later one: the longest such overlap is taken. A last line that was cut short when it was read is
 * new again when it is whole.
 *
 * Where a log repeats itself the longest overlap may be too long: then lines that say what others said are left out.
 */
export function newLines(earlier: readonly string[], later: readonly string[]): Growth {
  if (earlier.length === 0) return { lines: [...later], missing: false };
  // A log does not shrink: this is a read that gave nothing.
  if (later.length === 0) return { lines: [], missing: false };
  for (let length = Math.min(earlier.length, later.length); length > 0; length -= 1) {
    const overlap = compareOverlap(earlier, later, length);
    if (overlap === "equal") return { lines: later.slice(length), missing: false };
    if (overlap === "last line grew") return { lines: later.slice(length - 1), missing: false };
  }
  return { lines: [...later], missing: true };
}

function compareOverlap(
  earlier: readonly string[],
  later: readonly string[],
  length: number,
): "equal" | "last line grew" | "different" {
  const start = earlier.length - length;
  for (let index = 0; index < length - 1; index += 1) {
    if (earlier[start + index] !== later[index]) return "different";
  }
  const [was, is] = [earlier.at(-1)!, later[length - 1]!];
  if (was === is) return "equal";
  // One line alone that begins like another proves nothing, unless it is where both snapshots begin.
  const proven = length > 1 || earlier.length === 1;
  return proven && was !== "" && is.startsWith(was) ? "last line grew" : "different";
}
