import type { LogSource, Seal, StreamCounts, StreamRecord, StreamRole } from "@tailrace/core";
import { readPosition } from "../position.ts";

/** The columns of `log_streams s` that a {@link StreamRow} has. */
export const STREAM_COLUMNS = `
  s.id, s.step_id, to_char(s.day, 'YYYY-MM-DD') as day, s.ordinal,
  s.pod, s.pod_uid, s.container, s.restart, s.role, s.runner, s.named,
  s.fence, s.next_seq, s.output_bytes, s.max_time, s.position, s.counts, s.gaps, s.unjoined,
  s.sealed_at is not null as sealed, s.sha256, s.verified, s.verified_by, s.truncated,
  s.expired_at is not null as expired`;

/** A row as pg gives it: a bigint is a string. */
export interface StreamRow {
  id: string;
  step_id: string;
  day: string;
  ordinal: number;
  pod: string;
  pod_uid: string;
  container: string;
  restart: number;
  role: StreamRole;
  runner: number | null;
  named: boolean;
  fence: string;
  next_seq: string;
  output_bytes: string;
  max_time: string | null;
  position: unknown;
  counts: StreamCounts;
  gaps: number;
  unjoined: number;
  sealed: boolean;
  sha256: string | null;
  verified: "full" | "suffix" | null;
  verified_by: LogSource | null;
  truncated: string | null;
  expired: boolean;
}

export function toStreamRecord(row: StreamRow): StreamRecord {
  return {
    id: Number(row.id),
    day: row.day,
    stepId: row.step_id,
    instance: {
      podUid: row.pod_uid,
      pod: row.pod,
      container: row.container,
      restart: row.restart,
      role: row.role,
      runner: row.runner,
      named: row.named,
    },
    fence: Number(row.fence),
    nextSeq: Number(row.next_seq),
    bytes: Number(row.output_bytes),
    gaps: row.gaps,
    maxTime: row.max_time === null ? null : BigInt(row.max_time),
    position: row.position === null ? null : readPosition(row.position),
    counts: row.counts,
    seal: toSeal(row),
  };
}

function toSeal(row: StreamRow): Seal | null {
  if (row.sha256 === null) return null;
  return {
    lines: Number(row.next_seq),
    bytes: Number(row.output_bytes),
    sha256: row.sha256,
    verified: row.verified,
    verifiedBy: row.verified_by,
    truncated: row.truncated,
  };
}
