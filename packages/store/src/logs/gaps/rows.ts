import type { Gap, GapReason } from "@tailrace/core";

/** A row of `log_gaps` as pg gives it: a bigint is a string. */
export interface GapRow {
  seq: string;
  reason: GapReason;
  certain: boolean;
  from_time: string | null;
  until_time: string | null;
}

export function toGap(row: GapRow): Gap {
  return {
    seq: Number(row.seq),
    reason: row.reason,
    certain: row.certain,
    from: row.from_time === null ? null : BigInt(row.from_time),
    until: row.until_time === null ? null : BigInt(row.until_time),
  };
}
