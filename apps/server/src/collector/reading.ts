import type { ChunkBuilder, ContainerInstance, NodeAddress, StreamCounts, StreamPosition } from "@tailrace/core";

/** What is known of the container whose output is read; it changes while that goes on. */
export interface ContainerView {
  readonly instance: ContainerInstance;
  /** Null before the pod is scheduled. */
  readonly node: NodeAddress | null;
  /** True once the container has ended. */
  readonly terminated: boolean;
  /** True once the pod is not in the cluster any more. */
  readonly gone: boolean;
  /** True when `pods/log` gives this instance as the previous one. */
  readonly previous: boolean;
}

/** Takes the lines that a reader finds. */
export interface LineSink {
  /** Where parsers put lines. */
  readonly builder: ChunkBuilder;
  /** Makes the builder's lines count; `position` is where to go on behind them. */
  flush(position: StreamPosition): void;
  /** Forgets the builder's lines. */
  drop(): void;
  /** Adds to what is counted of the stream. */
  count(more: Partial<StreamCounts>): void;
  /** Resolves when everything flushed can be read back, or when the signal aborts. */
  settled(signal: AbortSignal): Promise<void>;
}

/** Makes readers wait while too much that was read is not stored yet. */
export interface Admission {
  mayRead(inCurrentFile: boolean): boolean;
  /** Resolves when reading may go on, or when the signal aborts. */
  admission(inCurrentFile: boolean, signal: AbortSignal): Promise<void>;
}

/** What a reader needs of its surroundings. */
export interface Reading {
  view: ContainerView;
  sink: LineSink;
  admission: Admission;
  /** Ends the reading, for example when another process has the stream. */
  signal: AbortSignal;
  /** Resolves when the view has changed, after so many milliseconds, or when the signal aborts. */
  pause: (ms: number) => Promise<void>;
  /** Counts why a request had to be made again. */
  onReopen: (reason: string) => void;
  /** Tells why the source can't be read now, in one line; null when it can. */
  onProblem: (reason: string | null) => void;
}

/** How a reading ended. */
export type ReadingEnd =
  /** The container has ended, and two readings gave the same end. */
  | { kind: "ended" }
  /** The log is not there any more. */
  | { kind: "gone"; reason: string }
  /** What is stored does not go on in what can be read: lines between are lost (`certain`), or may be. */
  | { kind: "lost"; certain: boolean }
  /** This source can't be read; `refused`: and that will not pass by itself. */
  | { kind: "unavailable"; reason: string; refused: boolean }
  /** The signal aborted. */
  | { kind: "aborted" };

/** One way to read a stream, from where it stands to its end. */
export interface Reader {
  run(): Promise<ReadingEnd>;
  /** Goes on behind lines that are lost, once that is marked. */
  skipGap(): void;
  /** Nothing more will come: what was read of an unfinished line becomes a line. */
  finish(): void;
  /** Where to go on behind everything that was flushed. */
  readonly position: StreamPosition;
}

/** Between a container's end and the last bytes of its log, as the runtime's pipes are emptied. */
export const SETTLE_MS = 250;

/** A source that has failed for so long is given up in favour of another one; so long a suspected gap waits for it. */
export const GIVE_UP_MS = 10_000;
