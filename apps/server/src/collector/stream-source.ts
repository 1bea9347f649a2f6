import {
  ClusterError,
  MARK_SECONDS,
  type BufferPool,
  type Chunk,
  type LogSource,
  type LogStore,
  type Marks,
  type PodLogs,
  type StoredChunk,
  type StreamPosition,
} from "@tailrace/core";
import type { Logger } from "pino";
import { backoffMs } from "../supervisor/backoff.ts";
import { joinHandovers } from "./handovers.ts";
import { allMarks, newestMarks } from "./known-lines.ts";
import { locate } from "./locate.ts";
import type { NodeAccess } from "./node-access.ts";
import { NodeReader } from "./node-reader.ts";
import { podLogContinues } from "./pod-log-probe.ts";
import { PodLogReader } from "./pod-log-reader.ts";
import { GIVE_UP_MS, type ContainerView, type Reader, type Reading, type ReadingEnd } from "./reading.ts";
import type { StreamAdmission } from "./stream-admission.ts";
import type { OpenGap, StreamWriter } from "./stream-writer.ts";

export interface StreamSourceDeps {
  store: LogStore;
  openChunk: (stored: StoredChunk) => Promise<Chunk>;
  pool: BufferPool;
  access: NodeAccess;
  podLogs: PodLogs;
  /** Counts why requests had to be made again. */
  onReopen: (source: LogSource, reason: string) => void;
}

/** The stream that is read, and what goes on around it. */
export interface SourceContext {
  writer: StreamWriter;
  view: ContainerView;
  admission: StreamAdmission;
  /** Ends the reading. */
  signal: AbortSignal;
  pause: Reading["pause"];
  onProblem: Reading["onProblem"];
  log: Logger;
}

/** What came of going on with the other source. */
export type Change =
  | "changed"
  /** It can't be read, or does not continue what is stored. */
  | "does_not_fit"
  /** That could not be found out now. */
  | "not_known";

/** Where a stream's lines come from: one of the two sources, until the other one has to go on in its place. */
export class StreamSource {
  readonly #deps: StreamSourceDeps;
  readonly #context: SourceContext;
  #source: LogSource;
  #position: StreamPosition | null;
  #reader: Reader | null = null;

  constructor(deps: StreamSourceDeps, context: SourceContext) {
    this.#deps = deps;
    this.#context = context;
    this.#position = context.writer.record.position;
    this.#source = this.#position?.source ?? (deps.access.on(context.view.node) === null ? "api" : "node");
  }

  get source(): LogSource {
    return this.#source;
  }

  /** Where to go on behind everything that was put on its way; null before the first line. */
  get position(): StreamPosition | null {
    return this.#reader?.position ?? this.#position;
  }

  /** Whether files of the container had been rotated away before it was read; null where that can't be known. */
  get rotatedBeforeStart(): boolean | null {
    return this.#reader instanceof NodeReader ? this.#reader.rotatedBeforeStart : null;
  }

  async read(): Promise<ReadingEnd> {
    this.#reader ??= await this.#makeReader();
    if (this.#reader === null) return { kind: "unavailable", reason: "the node's files can't be read", refused: true };
    const end = await this.#reader.run();
    this.#position = this.#reader.position;
    return end;
  }

  /** Nothing more will come: what was read of an unfinished line becomes a line. */
  finish(): void {
    this.#reader?.finish();
  }

  /** Joins what other processes have read of the stream. @returns false when there was nothing to go on behind */
  async join(gap: OpenGap | null): Promise<boolean> {
    const position = await joinHandovers(this.#context.writer, gap, this.#deps, this.#context.signal);
    if (position === null) return false;
    this.#switchTo(position.source, position);
    return true;
  }

  /** Before a gap is written the other source, and what other processes have read, may show what is missing. */
  async fillGap(certain: boolean): Promise<boolean> {
    if (!(await this.#stored())) return false;
    return (await this.join(null)) || (await this.#changeInTime()) || (await this.join(this.#loss(certain)));
  }

  /** A gap is final, so the lines behind it wait for another source that may be back in a moment. */
  async #changeInTime(): Promise<boolean> {
    const { signal, pause } = this.#context;
    const until = performance.now() + GIVE_UP_MS;
    for (let failures = 1; ; failures += 1) {
      const change = await this.change();
      const left = until - performance.now();
      if (change !== "not_known" || left <= 0 || signal.aborted) return change === "changed";
      await pause(Math.min(left, backoffMs(failures, Math.random())));
    }
  }

  /** Goes on behind lines that were gone before they were read. */
  skipLoss(certain: boolean): void {
    this.#skipGap(this.#loss(certain));
  }

  #loss(certain: boolean): OpenGap {
    return { reason: this.#context.admission.reasonOfLoss, certain };
  }

  #skipGap(gap: OpenGap): void {
    const { writer, log } = this.#context;
    log.warn({ ...gap, seq: writer.nextSeq }, "lines of a log may be lost, which is marked in it");
    writer.openGap(gap);
    this.#reader?.skipGap();
  }

  /** Goes on with the log API although nothing shows that it continues what is stored. */
  async leaveNodeFiles(): Promise<void> {
    this.#switchTo("api", this.#position);
    this.#reader = await this.#makeReader();
    this.#skipGap({ reason: "source_changed", certain: false });
  }

  /** Goes on with the other source if it continues what is stored. */
  async change(): Promise<Change> {
    const { view, writer, signal } = this.#context;
    if (!(await this.#stored())) return "not_known";
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(GIVE_UP_MS)]);
    try {
      if (writer.nextSeq > 0)
        return await (this.#source === "node" ? this.#toPodLogs(bounded) : this.#toFiles(bounded));
      if (this.#source === "api" && this.#deps.access.on(view.node) === null) return "does_not_fit";
      return this.#switchTo(this.#source === "node" ? "api" : "node", null);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (this.#source === "api") this.#deps.access.failed(view.node, error.message);
      return "not_known";
    }
  }

  async #toPodLogs(signal: AbortSignal): Promise<Change> {
    const { writer, view } = this.#context;
    const known = await newestMarks(writer.record, MARK_SECONDS, this.#deps);
    const continues = await podLogContinues(view, known, this.#deps.podLogs, signal);
    if (continues === null) return "not_known";
    return continues ? this.#switchTo("api", this.#position) : "does_not_fit";
  }

  async #toFiles(signal: AbortSignal): Promise<Change> {
    const { writer, view } = this.#context;
    const { node, instance } = view;
    const { access, pool } = this.#deps;
    const logs = access.again(node);
    if (logs === null || node === null) return "does_not_fit";
    const known = await newestMarks(writer.record, MARK_SECONDS, this.#deps);
    const position = await locate({ node, instance }, known, { logs, pool }, signal);
    access.works(node);
    return position === null ? "does_not_fit" : this.#switchTo("node", { source: "node", ...position });
  }

  async #makeReader(): Promise<Reader | null> {
    const { writer, view } = this.#context;
    const { access, podLogs } = this.#deps;
    writer.use(this.#source);
    if (this.#source === "node") {
      const position = this.#position?.source === "node" ? this.#position : null;
      const logs = position === null ? access.on(view.node) : access.again(view.node);
      return logs === null ? null : new NodeReader(this.#reading("node"), logs, position);
    }
    const known = await newestMarks(writer.record, MARK_SECONDS, this.#deps);
    // What was lost before may be much.
    const written = writer.gaps === 0 ? writer.bytes : Infinity;
    const loadAllMarks = (): Promise<Marks | null> => allMarks(writer.record, this.#deps);
    return new PodLogReader(this.#reading("api"), podLogs, { known, written, loadAllMarks });
  }

  #reading(source: LogSource): Reading {
    const { writer: sink, view, admission, signal, pause } = this.#context;
    const onReopen = (reason: string): void => this.#deps.onReopen(source, reason);
    const onProblem = (reason: string | null): void => {
      if (reason === null && source === "node" && view.node !== null) this.#deps.access.works(view.node);
      this.#context.onProblem(reason);
    };
    return { view, sink, admission, signal, pause, onReopen, onProblem };
  }

  /** Waits until everything that was read is stored, so that it can be compared. @returns false when that took too long */
  async #stored(): Promise<boolean> {
    const { writer, signal } = this.#context;
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(GIVE_UP_MS)]);
    await writer.settled(bounded);
    return !bounded.aborted && !writer.lost;
  }

  #switchTo(source: LogSource, position: StreamPosition | null): Change {
    if (source !== this.#source)
      this.#context.log.info({ from: this.#source, to: source }, "reading a log from another source");
    this.#source = source;
    this.#position = position;
    this.#reader = null;
    return "changed";
  }
}
