import {
  type GapReason,
  type LogEntry,
  type LogGap,
  type LogLevel,
  type LogLine,
  type LogStream,
  type StreamRole,
  describeGap,
  formatInstant,
} from "@tailrace/core";
import { lineText } from "./line-text.ts";

/** Whose log an item is part of. */
export interface LogOrigin {
  pod: string;
  container: string;
  /** The kubelet's restart count; 0 for the first instance. */
  restart: number;
  role: StreamRole;
  /** The runner's number from 1; null in other pods. */
  runner: number | null;
}

export interface LogLineItem extends LogOrigin {
  kind: "line";
  /** Its number in its container's log, from 0, without holes. */
  seq: number;
  /** RFC 3339 in UTC with nine fraction digits, as the container runtime has stamped it. */
  time: string;
  /** Null for a line that does not say one. */
  level: LogLevel | null;
  /** Null where the source does not tell the two apart. */
  stream: "stdout" | "stderr" | null;
  line: string;
  /** The line's bytes in base64, where they are no UTF-8 and `line` is not all of it. */
  base64?: string;
  /** The line has no newline of its own: the output ended there, or it goes on in the next line. */
  unfinished?: true;
  /** It is no match itself, and stands beside one. */
  context?: true;
}

/** A place where lines are missing (`certain`) or may be. */
export interface LogGapItem extends LogOrigin {
  kind: "gap";
  /** The seq of the line behind it. */
  seq: number;
  reason: GapReason;
  certain: boolean;
  /** The times between which the missing lines were written; null where nothing stands on that side. */
  from: string | null;
  until: string | null;
  /** All of that in one line, for people. */
  text: string;
}

/** The end of a container's log behind which more may have been written. */
export interface LogTruncationItem extends LogOrigin {
  kind: "truncated";
  /** How many lines are before it. */
  seq: number;
  /** Why the rest is not known, in one line. */
  reason: string;
}

export type LogItem = LogLineItem | LogGapItem | LogTruncationItem;

export function toItem(entry: LogEntry, stream: LogStream): LogLineItem | LogGapItem {
  return entry.kind === "line" ? toLineItem(entry, stream) : toGapItem(entry, stream);
}

export function toGapItem({ seq, reason, certain, from, until }: LogGap, stream: LogStream): LogGapItem {
  return {
    kind: "gap",
    ...originOf(stream),
    seq,
    reason,
    certain,
    from: from === null ? null : formatInstant(from),
    until: until === null ? null : formatInstant(until),
    text: describeGap({ reason, certain, from, until }),
  };
}

/** @param stream - one that is truncated */
export function toTruncationItem(stream: LogStream): LogTruncationItem {
  return { kind: "truncated", ...originOf(stream), seq: stream.lines, reason: stream.truncated ?? "" };
}

export function originOf({ pod, container, restart, role, runner }: LogStream): LogOrigin {
  return { pod, container, restart, role, runner };
}

function toLineItem(entry: LogLine, stream: LogStream): LogLineItem {
  const { seq, time, level, standardStream, unfinished, context, bytes } = entry;
  const { line, base64 } = lineText(bytes);
  return {
    kind: "line",
    ...originOf(stream),
    seq,
    time: formatInstant(time),
    level,
    stream: standardStream,
    line,
    ...(base64 === null ? {} : { base64 }),
    ...(unfinished ? { unfinished } : {}),
    ...(context ? { context } : {}),
  };
}
