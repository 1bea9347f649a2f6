import type { LogSource, LogStream, Page } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import { type LogOrigin, originOf } from "../../logs/items.ts";
import { orderStreams } from "../../logs/order-streams.ts";
import type { logsStreams } from "../../schemas/logs.ts";
import { findStreams } from "./find-streams.ts";

/** The log of one container instance, and what is known of it. */
export interface LogStreamInfo extends LogOrigin {
  /** `node`: the node's log files; `api`: pods/log. Null before the first line. */
  source: LogSource | null;
  lines: number;
  /** What the container wrote, in bytes. */
  bytes: number;
  /** Places where lines are, or may be, missing. */
  gaps: number;
  /** The container has ended and its output is complete, or `truncated` says why not. */
  sealed: boolean;
  /** How much of it a second reading has agreed with; null where there was none. */
  verified: "full" | "suffix" | null;
  /** Which source that reading was of. */
  verifiedBy: LogSource | null;
  /** SHA-256 of the container's bytes, as 64 hexadecimal digits; null until it is sealed. */
  sha256: string | null;
  /** Lines of another standard stream that were taken out of a long line, into which pods/log had put them. */
  unglued: number;
  /** Ends of known lines that a rotation had put at a file's beginning, and that were left out. */
  headRests: number;
  /** Lines of a node's file that were no log entries, and stand as they are. */
  malformed: number;
  /** Pieces that another server had read, that contradict what is stored, and that are kept apart. */
  unjoined: number;
  /** Why the end of the output is not known; null where it is, or is yet to come. */
  truncated: string | null;
  /** Its lines were deleted because of their age. */
  expired: boolean;
}

/** In the order of the snapshot. */
export async function listStreams({ ctx, input }: Call<z.output<typeof logsStreams>>): Promise<Page<LogStreamInfo>> {
  await requireRole(ctx, input.teamId, "viewer");
  const streams = await findStreams(ctx, input.teamId, input.runId);
  return { items: orderStreams(streams).map(viewStream), nextCursor: null };
}

function viewStream(stream: LogStream): LogStreamInfo {
  const { source, lines, bytes, gaps, sealed, verified, verifiedBy, sha256, unjoined, truncated, expired } = stream;
  return {
    ...originOf(stream),
    source,
    lines,
    bytes,
    gaps,
    sealed,
    verified,
    verifiedBy,
    sha256,
    ...stream.counts,
    unjoined,
    truncated,
    expired,
  };
}
