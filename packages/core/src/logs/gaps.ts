import { formatInstant } from "./lines/instant.ts";

/** Why lines are missing, or may be. */
export type GapReason =
  /** The place behind the last line was in no file any more: the kubelet removed it. */
  | "rotated"
  /** Reading began when files had been rotated away already. */
  | "late_start"
  /** Another source had to be taken, and what was stored was not found in it. */
  | "source_changed"
  /** Reading had to pause because the database was away and the spool was full. */
  | "spool_full";

/** A marked place where lines are missing (`certain`) or may be. A committed gap never changes. */
export interface Gap {
  /** The seq of the line behind it: nothing is missing from the numbers. */
  seq: number;
  reason: GapReason;
  /** False where it can't be told from a rotation exactly between two lines. */
  certain: boolean;
  /** The times between which the missing lines were written, in nanoseconds since the epoch; null where nothing stands on that side. */
  from: bigint | null;
  until: bigint | null;
}

const WHY: Record<GapReason, string> = {
  rotated: "the kubelet rotated the log away before it was read",
  late_start: "the log had been rotated before reading began",
  source_changed: "the log had to be read from another source",
  spool_full: "the database was away for too long",
};

/** A gap in one line, for people. */
export function describeGap({ reason, certain, from, until }: Omit<Gap, "seq">): string {
  const between = [
    from === null ? null : `after ${formatInstant(from)}`,
    until === null ? null : `before ${formatInstant(until)}`,
  ];
  const when = between.filter((part) => part !== null).join(" and ");
  return `lines ${certain ? "are" : "may be"} missing here${when === "" ? "" : `, ${when}`}: ${WHY[reason]}`;
}
