const COMPRESSED = ".gz";
const TEMPORARY = ".tmp";

/** What a rotation does with the files that were rotated before. */
export interface RotationPlan {
  /** In this order. */
  remove: string[];
  /** In this order, the oldest first. */
  compress: string[];
}

/**
 * Plans a rotation as the kubelet does (pkg/kubelet/logs/container_log_manager.go, rotateLog): what a broken one left goes,
 * then the oldest, until with the current file and the one that it becomes there are `maxFiles`; the others are compressed.
 *
 * @param current - the name of the file that the container writes to
 * @param names - of everything in its folder
 */
export function planRotation(current: string, names: readonly string[], maxFiles: number): RotationPlan {
  const own = names.filter((name) => name.startsWith(`${current}.`)).toSorted();
  const isUsed = (name: string): boolean =>
    !name.endsWith(TEMPORARY) && (name.endsWith(COMPRESSED) || !own.includes(name + COMPRESSED));
  const used = own.filter(isUsed);
  const excess = Math.max(0, used.length - Math.max(0, maxFiles - 2));
  return {
    remove: [...own.filter((name) => !isUsed(name)), ...used.slice(0, excess)],
    compress: used.slice(excess).filter((name) => !name.endsWith(COMPRESSED)),
  };
}

/**
 * The name of a file that is rotated away: `0.log.20261124-142726`, in UTC.
 *
 * @param second - since the epoch
 */
export function rotatedName(current: string, second: number): string {
  const [date, time] = new Date(second * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").split("T");
  return `${current}.${date}-${time}`;
}

/** What a compressed file is called, and what it is called while it is being made. */
export function compressedNames(name: string): { temporary: string; compressed: string } {
  return { temporary: name + TEMPORARY, compressed: name + COMPRESSED };
}
