import type { IsoTime } from "../domain.ts";
import type { GapReason } from "../logs/gaps.ts";
import type { LogLevel } from "../logs/lines/level.ts";
import type { LogSource, StreamRole } from "../logs/streams.ts";
import type { StreamCounts, StreamRef } from "./log-store.ts";

/** A stream as readers see it. */
export interface LogStream extends StreamRef {
  /** Its place among the streams of the run, from 0; it never changes. */
  ordinal: number;
  stepId: string;
  pod: string;
  container: string;
  restart: number;
  role: StreamRole;
  /** The runner's number from 1; null in other pods. */
  runner: number | null;
  /** True when the pod has more than one container. */
  named: boolean;
  source: LogSource | null;
  lines: number;
  /** What the container wrote, in bytes. */
  bytes: number;
  gaps: number;
  sealed: boolean;
  verified: "full" | "suffix" | null;
  /** Which source the second reading was of. */
  verifiedBy: LogSource | null;
  sha256: string | null;
  counts: StreamCounts;
  /** Pieces that another process read, that could not be joined, and that are kept apart. */
  unjoined: number;
  /** Why its end is not known; null where it is, or is yet to come. */
  truncated: string | null;
  /** True when its lines were deleted because of their age. */
  expired: boolean;
}

/**
 * Every pattern is tested on one line at a time. A substring is looked for as bytes, of which ASCII letters fold with
 * `ignoreCase`; a regular expression, in JavaScript's syntax, sees the line as UTF-8 text. At most 1,000 characters.
 */
export interface LogPattern {
  kind: "substring" | "regex";
  text: string;
}

export interface LogFilter {
  /** A line passes that has any of them; all pass where there is none. */
  include: readonly LogPattern[];
  /** A line that has any of them does not pass. */
  exclude: readonly LogPattern[];
  ignoreCase: boolean;
  /** `null` among them is a line without a level. (Default: all) */
  levels: readonly (LogLevel | null)[] | null;
}

/**
 * For each stream, by its ordinal, the seq of the next line. Streams behind the end are at 0. Where a sealed stream ends in
 * a gap, one more than its number of lines stands behind that gap.
 */
export type LogPlace = readonly number[];

export interface LogLine {
  kind: "line";
  ordinal: number;
  seq: number;
  /** Nanoseconds since the epoch. */
  time: bigint;
  level: LogLevel | null;
  /** Null where the source does not tell them apart. */
  standardStream: "stdout" | "stderr" | null;
  /** The line has no newline of its own. */
  unfinished: boolean;
  bytes: Uint8Array;
  /** True for a line that is there because it stands beside one that matches. */
  context: boolean;
}

export interface LogGap {
  kind: "gap";
  ordinal: number;
  /** The seq of the line behind it. */
  seq: number;
  reason: GapReason;
  certain: boolean;
  from: bigint | null;
  until: bigint | null;
}

export type LogEntry = LogLine | LogGap;

export interface LogPageQuery {
  /** The streams wanted; places count by ordinal, whichever are wanted. */
  streams: readonly LogStream[];
  filter: LogFilter;
  /** Where the page begins (`forward`) or ends (`backward`). */
  start: { place: LogPlace } | { time: bigint } | "begin" | "end";
  direction: "forward" | "backward";
  /** Leaves out lines from this time on, by the stream's running maximum; null for no end. */
  until: bigint | null;
  /** Lines that match, at most; 1 to 10,000. */
  limit: number;
  /** Lines of the same stream before and after each match; 0 to 100. They are on their match's page, in their stream's order. */
  before: number;
  after: number;
}

/**
 * Lines of several streams in one order: by the greatest time that their stream has had up to them, then by the stream's
 * ordinal, then by seq. So a container's own order is never broken, and it does not depend on where a page began.
 *
 * Page after page, from `end` forward or from `start` backward, gives every match and every line beside one once. The gaps
 * among the lines that were looked at come with them, each before the line behind it.
 */
export interface LogPage {
  entries: LogEntry[];
  /** Where the page began; read `backward`, before everything that was looked at. */
  start: LogPlace;
  /** Behind everything that was looked at; read `backward`, where the page ended. */
  end: LogPlace;
  /** False when the search was cut short, by its budget or because the lines are too large: there may be more matches. */
  complete: boolean;
  /** True when nothing that is asked for is stored behind `end` (`forward`), or before `start` (`backward`). */
  atEnd: boolean;
  /** Lines looked at. */
  scanned: number;
}

export interface LogSearchQuery {
  streams: readonly LogStream[];
  filter: LogFilter;
  /** By the streams' running maximum; null for no bound. */
  from: bigint | null;
  until: bigint | null;
  /** Width of a bucket in milliseconds; null to choose one that gives about 60. */
  bucketMs: number | null;
}

export interface LogSearchResult {
  matches: number;
  /** Lines looked at. */
  scanned: number;
  bucketMs: number;
  /** Those with matches, in order; counts by level, `none` for lines without one. */
  buckets: { time: IsoTime; matches: number; levels: Partial<Record<LogLevel | "none", number>> }[];
  complete: boolean;
}

/** The end of a stream. */
export interface LogTail {
  /** The oldest of them first. */
  lines: Uint8Array[];
  /** The seq behind the last one. */
  nextSeq: number;
  /** What older lines were left out for; null where there are none. */
  cutBy: "lines" | "bytes" | null;
}

/**
 * The part of the store that reads logs. A pattern can't block the process: it is tested outside of the thread that
 * serves, under a deadline, after which the call rejects with TailraceError BAD_REQUEST naming the pattern's field.
 */
export interface LogReader {
  /** The streams of a team's run in their order; null when there is no such run. */
  listLogStreams(teamId: string, runId: string): Promise<LogStream[] | null>;
  readLogPage(query: LogPageQuery, signal: AbortSignal): Promise<LogPage>;
  searchLogs(query: LogSearchQuery, signal: AbortSignal): Promise<LogSearchResult>;
  /**
   * Every line that one stream has when it begins, in order, with the gaps between them, in pieces of bounded size. Rejects
   * with TailraceError CONFLICT when lines are deleted meanwhile.
   */
  exportStream(stream: LogStream, signal: AbortSignal): AsyncIterable<LogEntry[]>;
  /** The same of all streams, in the order of a page. */
  exportMerged(streams: readonly LogStream[], signal: AbortSignal): AsyncIterable<LogEntry[]>;
  /** The newest lines of a stream: at most so many, and at most so many bytes of lines. */
  readTail(stream: StreamRef, limits: { lines: number; bytes: number }): Promise<LogTail>;
}
