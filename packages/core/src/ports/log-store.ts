import type { StoredChunk } from "../logs/chunk/chunk.ts";
import type { Gap } from "../logs/gaps.ts";
import type { NodePosition } from "../logs/node/follower.ts";
import type { Seal } from "../logs/seal.ts";
import type { ContainerInstance, LogSource } from "../logs/streams.ts";

/** Names a stream in the store. */
export interface StreamRef {
  id: number;
  /** The day on which the run was created, as `YYYY-MM-DD` in UTC: where the stream's chunks are. */
  day: string;
}

/** Where the reading of a stream stands. The log API needs no more than the stored lines. */
export type StreamPosition = ({ source: "node" } & NodePosition) | { source: "api" };

/** What was found out about the lines of a stream; each only grows. */
export interface StreamCounts {
  /** Lines of another standard stream that were taken out of a long line. */
  unglued: number;
  /** First lines of rotated files that were the end of a known line, and left out. */
  headRests: number;
  /** Lines of a node's file that were no log entries. */
  malformed: number;
}

/** A stream as its one writer sees it. */
export interface StreamRecord extends StreamRef {
  stepId: string;
  instance: ContainerInstance;
  /** The fencing number under which this was read. */
  fence: number;
  nextSeq: number;
  /** What the container wrote, in bytes, so far as it is stored. */
  bytes: number;
  /** How many gaps are marked. */
  gaps: number;
  /** The greatest time of any line, in nanoseconds since the epoch; null before the first. */
  maxTime: bigint | null;
  /** Null before the first commit. */
  position: StreamPosition | null;
  counts: StreamCounts;
  seal: Seal | null;
}

/** What one commit adds to one stream; all of it or nothing is written. */
export interface StreamCommit {
  stream: StreamRef;
  stepId: string;
  fence: number;
  /** The stream's `nextSeq` before; that of the first chunk, where there are chunks. */
  firstSeq: number;
  chunks: readonly StoredChunk[];
  gaps: readonly Gap[];
  position: StreamPosition;
  counts: StreamCounts;
}

export type CommitOutcome =
  /** Written now, or by an earlier try whose answer was lost. */
  | "committed"
  /** A newer fencing number has the stream, it is sealed, expired or gone, or it does not stand where the commit begins. */
  | "lost";

/** Lines that another process read and could not store, for the stream's holder. */
export interface Handover {
  id: number;
  stream: StreamRef;
  commit: Pick<StreamCommit, "firstSeq" | "chunks" | "gaps" | "position" | "counts">;
}

/** The part of the store that writes logs. Each method fails as the store's other ones do. */
export interface LogStore {
  /**
   * Makes the stream, or takes it over, for the holder of its step's lease.
   *
   * @returns null when a newer fencing number has it, the step is gone, or the run's logs were deleted because of their age
   */
  openStream(open: { stepId: string; fence: number; instance: ContainerInstance }): Promise<StreamRecord | null>;
  /** The streams of a step, in the order in which they were made. */
  listStreams(stepId: string): Promise<StreamRecord[]>;
  /**
   * Writes chunks, gaps and positions of many streams in one statement, and wakes readers. Each stream is checked for
   * itself: one that is lost does not keep the others from being written.
   *
   * @returns an outcome for each commit, in their order
   */
  commitLogs(commits: readonly StreamCommit[]): Promise<CommitOutcome[]>;
  /** The chunks that overlap the range, in order. */
  readChunks(stream: StreamRef, range?: ChunkRange): AsyncIterable<StoredChunk>;
  listGaps(stream: StreamRef): Promise<Gap[]>;
  /** Puts one chunk in the place of those that hold the same lines. @returns false when they are not there any more, or the fencing number is an old one */
  replaceChunks(stream: StreamRef, fence: number, chunk: StoredChunk): Promise<boolean>;
  /** Ends a stream at its `nextSeq`. @returns false when a newer fencing number has it, or it stands elsewhere */
  sealStream(stream: StreamRef, fence: number, seal: Seal): Promise<boolean>;
  /** Leaves lines that could not be stored to whoever holds the stream; survives this process. A repeated one is the same one. */
  handOver(commit: Omit<StreamCommit, "fence">): Promise<void>;
  /** What was handed over for a stream and has not been settled, the first lines first. */
  listHandovers(stream: StreamRef): Promise<Handover[]>;
  /** `joined`: its lines are in the stream, and it goes. `unjoined`: they could not be joined; they are kept, and counted for the stream. */
  settleHandover(id: number, result: "joined" | "unjoined"): Promise<void>;
  /** Calls back with a run's id when lines of it were committed or a stream of it was sealed, by any server on this database. Some may be missed while a connection is made anew. @returns the unsubscriber */
  onLogsWritten(listener: (runId: string) => void): () => void;
}

export interface ChunkRange {
  /** (Default: the first) */
  fromSeq?: number | undefined;
  /** The seq behind the last line wanted. (Default: no end) */
  untilSeq?: number | undefined;
  /** Leaves out chunks all of whose lines are older, in nanoseconds since the epoch. */
  fromTime?: bigint | undefined;
  /** (Default: false) */
  newestFirst?: boolean | undefined;
}

/** What keeps the store's size within what an installation wants. */
export interface LogRetention {
  /** Makes the partitions of a day, and of the next. Several servers may call it at once. */
  prepareDay(day: string): Promise<void>;
  /** Drops the partitions of every day before. @returns the days */
  dropDaysBefore(day: string): Promise<string[]>;
  /** Deletes, in steps of bounded size, logs of teams with a shorter retention, and those of deleted runs. @returns true when there is more to delete */
  deleteExpiredLogs(options: { maxChunks: number }): Promise<boolean>;
}

/** The source of a stream's first commit, which it keeps. */
export function sourceOf(record: Pick<StreamRecord, "position">): LogSource | null {
  return record.position?.source ?? null;
}
