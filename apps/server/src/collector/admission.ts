/** How much of what was read is not stored yet. */
export interface Pressure {
  /** Bytes in memory, and how many there may be. */
  memoryBytes: number;
  memoryLimit: number;
  /** True while the database does not keep up and what is read goes to the disk. */
  spooling: boolean;
  /** Bytes on the disk, and how many there may be. */
  spoolBytes: number;
  spoolLimit: number;
}

/** The share of the spool that only streams may fill whose unread lines could be gone soon. */
const RESERVED = 0.1;

/**
 * Whether a stream may read on. While the database keeps up, the memory's limit makes reading wait for it. While it does
 * not, reading goes on into the spool: the kubelet rotates its files, whoever waits. When the spool fills up, the streams
 * wait first whose unread lines are still in the file that their container writes to; those have the most time.
 *
 * @param inCurrentFile - what the stream would read is in its container's current file
 */
export function mayRead(pressure: Pressure, inCurrentFile: boolean): boolean {
  const { memoryBytes, memoryLimit, spooling, spoolBytes, spoolLimit } = pressure;
  if (memoryBytes >= memoryLimit) return false;
  if (!spooling) return true;
  return spoolBytes < (inCurrentFile ? spoolLimit * (1 - RESERVED) : spoolLimit);
}
