import {
  ClusterError,
  MARK_SECONDS,
  type BufferPool,
  type Chunk,
  type LogSource,
  type LogStore,
  type Marks,
  type ObservedInstance,
  type PodLogs,
  type Seal,
  type StoredChunk,
  type StreamPosition,
  type StreamRecord,
} from "@tailrace/core";
import type { Logger } from "pino";
import { backoffMs } from "../supervisor/backoff.ts";
import type { Gate } from "../supervisor/gate.ts";
import { Waker } from "../supervisor/waker.ts";
import type { Committer } from "./committer.ts";
import { joinHandovers } from "./handovers.ts";
import { allMarks, newestMarks } from "./known-lines.ts";
import { locate } from "./locate.ts";
import type { NodeAccess } from "./node-access.ts";
import { NodeReader } from "./node-reader.ts";
import { PodLogReader } from "./pod-log-reader.ts";
import { podLogContinues } from "./pod-log-probe.ts";
import { GIVE_UP_MS, type ContainerView, type Reader, type Reading, type ReadingEnd } from "./reading.ts";
import { sealStream } from "./seal-stream.ts";
import { startGap } from "./start-gap.ts";
import { StreamWriter, type OpenGap } from "./stream-writer.ts";
import { TailCompaction } from "./tail-compaction.ts";

export interface StreamDeps {
  store: LogStore;
  openChunk: (stored: StoredChunk) => Promise<Chunk>;
  storeChunk: (chunk: Chunk) => Promise<StoredChunk>;
  pool: BufferPool;
  committer: Committer;
  /** Lets few streams be compacted at once. */
  compactions: Gate;
  access: NodeAccess;
  podLogs: PodLogs;
  log: Logger;
  /** Counts why requests had to be made again. */
  onReopen: (source: LogSource, reason: string) => void;
  onGap: (gap: OpenGap) => void;
  onSealed: (seal: Seal) => void;
  /** Lines that another process read could not be joined. */
  onUnjoined: () => void;
  /** Told when another process has a stream: this one's lease is over. */
  onLost: () => void;
}

/** Follows one container instance from its first line to its seal. */
export class StreamTask {
  readonly #deps: StreamDeps;
  readonly #step: { id: string; fence: number };
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #finish = new AbortController();
  readonly #waker = new Waker();
  readonly #seenAt = Date.now();
  #observed: ObservedInstance;
  #gone = false;
  #record: StreamRecord | null = null;
  #writer: StreamWriter | null = null;
  #compaction: TailCompaction | null = null;
  #reader: Reader | null = null;
  #source: LogSource = "api";
  #position: StreamPosition | null = null;
  #problem: string | null = null;
  #sealed = false;

  /** Settles when the stream is sealed, or given up with its lease; never rejects. */
  readonly done: Promise<void>;

  constructor(deps: StreamDeps, step: { id: string; fence: number }, observed: ObservedInstance) {
    this.#deps = deps;
    this.#step = step;
    this.#observed = observed;
    const { pod, container, restart } = observed.instance;
    this.#log = deps.log.child({ pod, container, restart });
    this.done = this.#run();
  }

  /** Null before the stream is known to the store. */
  get record(): StreamRecord | null {
    return this.#record;
  }

  /** Where its lines are read from at present. */
  get source(): LogSource {
    return this.#source;
  }

  get observed(): ObservedInstance {
    return this.#observed;
  }

  get sealed(): boolean {
    return this.#sealed;
  }

  /** Why its log can't be read at present, in one line. */
  get problem(): string | null {
    return this.#problem;
  }

  /** How many lines were stored so far; changes with each commit. */
  get storedSeq(): number {
    return this.#writer?.storedSeq ?? this.#record?.nextSeq ?? 0;
  }

  /** How many lines were read so far. */
  get readSeq(): number {
    return this.#writer?.nextSeq ?? this.storedSeq;
  }

  update(observed: ObservedInstance): void {
    this.#observed = observed;
    this.#waker.wake();
  }

  /** The pod is not in the cluster any more. */
  podGone(): void {
    this.#gone = true;
    this.#waker.wake();
  }

  /** Seals the stream with what there is, as cut off, unless it is sealed already. */
  finish(reason: string): void {
    this.#finish.abort(reason);
  }

  /** Stops reading; what was read is put on its way. */
  stop(): void {
    this.#abort.abort();
  }

  /** Resolves when the task has ended and what it read is stored, or when the signal aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    await this.done;
    await this.#writer?.settled(signal);
  }

  async #run(): Promise<void> {
    try {
      await this.#follow();
    } catch (error) {
      if (!this.#abort.signal.aborted) {
        this.#problem = "internal error";
        this.#log.error({ err: error }, "the reading of a log failed; its step is given up, to be taken up again");
        this.#deps.onLost();
      }
    }
  }

  async #follow(): Promise<void> {
    const record = await this.#open();
    if (record === null) return;
    this.#record = record;
    this.#sealed = record.seal !== null;
    if (this.#sealed) return;
    const { committer, pool, onGap, compactions } = this.#deps;
    const { fence, nextSeq: fromSeq } = record;
    const compaction = new TailCompaction({ stream: record, fence, fromSeq }, this.#deps, compactions, (error) =>
      this.#log.warn({ err: error }, "could not join small chunks of a log"),
    );
    const onStored = compaction.stored.bind(compaction);
    const writer = new StreamWriter(record, { committer, pool, onGap, onStored, onLost: () => this.#lost() });
    this.#writer = writer;
    this.#compaction = compaction;
    this.#position = record.position;
    writer.judgeStartBy((firstTime) => this.#judgeStart(firstTime));
    this.#position = (await joinHandovers(writer, null, this.#deps, this.#abort.signal)) ?? this.#position;
    this.#source = this.#position?.source ?? (this.#deps.access.on(this.#observed.node) === null ? "api" : "node");
    for (let failures = 0; ;) {
      const end = await this.#read();
      if (this.#abort.signal.aborted || writer.lost) return;
      if (end.kind === "ended") return await this.#seal(null);
      if (end.kind === "gone") return await this.#seal(end.reason);
      if (this.#finish.signal.aborted) return await this.#seal(String(this.#finish.signal.reason));
      const progress = await this.#afterTrouble(end);
      failures = progress ? 0 : failures + 1;
      if (failures > 0) await this.#waker.sleep(backoffMs(failures, Math.random()), this.#signal);
    }
  }

  /** Reading ends with the lease, and when the stream is to be sealed as it is. */
  get #signal(): AbortSignal {
    return AbortSignal.any([this.#abort.signal, this.#finish.signal]);
  }

  async #open(): Promise<StreamRecord | null> {
    const { store } = this.#deps;
    const { signal } = this.#abort;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        const { instance } = this.#observed;
        const record = await store.openStream({ stepId: this.#step.id, fence: this.#step.fence, instance });
        if (record === null) this.#lost();
        return record;
      } catch (error) {
        this.#log.warn({ err: error, failures }, "could not open a stream, trying again");
        await this.#waker.sleep(backoffMs(failures, Math.random()), signal);
      }
    }
    return null;
  }

  async #read(): Promise<ReadingEnd> {
    this.#reader ??= await this.#makeReader();
    if (this.#reader === null) return { kind: "unavailable", reason: "the node's files can't be read", refused: true };
    const end = await this.#reader.run();
    this.#position = this.#reader.position;
    return end;
  }

  async #makeReader(): Promise<Reader | null> {
    const writer = this.#writer!;
    const { access, podLogs } = this.#deps;
    writer.use(this.#source);
    if (this.#source === "node") {
      const logs = access.on(this.#observed.node);
      const position = this.#position?.source === "node" ? this.#position : null;
      return logs === null ? null : new NodeReader(this.#reading("node"), logs, position);
    }
    const known = await newestMarks(writer.record, MARK_SECONDS, this.#deps);
    // Of a stream that was taken over it is not at hand, and may be much.
    const written = writer.record.nextSeq === 0 ? writer.bytes : Infinity;
    const loadAllMarks = (): Promise<Marks | null> => allMarks(writer.record, this.#deps);
    return new PodLogReader(this.#reading("api"), podLogs, { known, written, loadAllMarks });
  }

  #reading(source: LogSource): Reading {
    return {
      view: this.#view,
      sink: this.#writer!,
      admission: this.#deps.committer,
      signal: this.#signal,
      pause: (ms) => this.#waker.sleep(ms, this.#signal),
      onReopen: (reason) => this.#deps.onReopen(source, reason),
      onProblem: (reason) => this.#note(reason),
    };
  }

  get #view(): ContainerView {
    const task = this;
    return {
      instance: this.#observed.instance,
      get node() {
        return task.#observed.node;
      },
      get terminated() {
        return task.#observed.state.phase === "terminated";
      },
      get gone() {
        return task.#gone;
      },
      get previous() {
        return task.#observed.previous;
      },
    };
  }

  /** @returns false when nothing could be done but to try again */
  async #afterTrouble(end: ReadingEnd): Promise<boolean> {
    if (end.kind === "lost") {
      if (!(await this.#fillGap(end.certain))) this.#skipGap({ reason: "rotated", certain: end.certain });
      return true;
    }
    if (end.kind !== "unavailable") return false;
    this.#note(end.reason);
    if (this.#source === "node") this.#deps.access.failed(this.#observed.node, end.reason);
    if (await this.#changeSource()) return true;
    if (this.#source === "node" && end.refused) {
      this.#switchTo("api", this.#position);
      this.#reader = await this.#makeReader();
      this.#skipGap({ reason: "source_changed", certain: false });
      return true;
    }
    return false;
  }

  /** Before a gap is written the other source, and what other processes have read, may show what is missing. */
  async #fillGap(certain: boolean): Promise<boolean> {
    if (!(await this.#stored())) return false;
    const writer = this.#writer!;
    const joined = await joinHandovers(writer, null, this.#deps, this.#signal);
    if (joined !== null) return this.#switchTo(joined.source, joined);
    if (await this.#changeSource()) return true;
    const behind = await joinHandovers(writer, { reason: "rotated", certain }, this.#deps, this.#signal);
    return behind !== null && this.#switchTo(behind.source, behind);
  }

  /** Goes on with the other source if it continues what is stored. */
  async #changeSource(): Promise<boolean> {
    const { access, podLogs, pool } = this.#deps;
    const { node, instance } = this.#observed;
    const writer = this.#writer!;
    if (!(await this.#stored())) return false;
    const bounded = AbortSignal.any([this.#signal, AbortSignal.timeout(GIVE_UP_MS)]);
    try {
      if (this.#source === "node") {
        if (writer.nextSeq === 0) return this.#switchTo("api", null);
        const known = await newestMarks(writer.record, MARK_SECONDS, this.#deps);
        return (await podLogContinues(this.#view, known, podLogs, bounded)) && this.#switchTo("api", this.#position);
      }
      const logs = access.on(node);
      if (logs === null || node === null) return false;
      if (writer.nextSeq === 0) return this.#switchTo("node", null);
      const known = await newestMarks(writer.record, MARK_SECONDS, this.#deps);
      const position = await locate({ node, instance }, known, { logs, pool }, bounded);
      return position !== null && this.#switchTo("node", { source: "node", ...position });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (this.#source === "api") access.failed(node, error.message);
      return false;
    }
  }

  /** Waits until everything that was read is stored, so that it can be compared. @returns false when that took too long */
  async #stored(): Promise<boolean> {
    const bounded = AbortSignal.any([this.#signal, AbortSignal.timeout(GIVE_UP_MS)]);
    await this.#writer!.settled(bounded);
    return !bounded.aborted && !this.#writer!.lost;
  }

  #switchTo(source: LogSource, position: StreamPosition | null): true {
    if (source !== this.#source)
      this.#log.info({ from: this.#source, to: source }, "reading a log from another source");
    this.#source = source;
    this.#position = position;
    this.#reader = null;
    return true;
  }

  #skipGap(gap: OpenGap): void {
    this.#log.warn({ ...gap, seq: this.#writer!.nextSeq }, "lines of a log may be lost, which is marked in it");
    this.#writer!.openGap(gap);
    this.#reader?.skipGap();
  }

  #judgeStart(firstTime: bigint): OpenGap | null {
    const { state } = this.#observed;
    return startGap({
      startedAt: state.phase === "waiting" ? null : state.startedAt,
      seenAt: this.#seenAt,
      firstLineAt: Number(firstTime / 1_000_000n),
      rotated: this.#reader instanceof NodeReader ? this.#reader.rotatedBeforeStart : null,
    });
  }

  async #seal(truncated: string | null): Promise<void> {
    const writer = this.#writer!;
    if (truncated !== null) this.#reader?.finish();
    writer.flushEnd(this.#reader?.position ?? this.#position ?? { source: "api" });
    const { signal } = this.#abort;
    await writer.settled(signal);
    await this.#compaction!.idle();
    const seal = await sealStream(writer, { source: this.#source, truncated, view: this.#view }, this.#deps, signal);
    if (seal === null) return this.#lost();
    this.#deps.onSealed(seal);
    this.#record = { ...writer.record, nextSeq: seal.lines, counts: writer.counts, seal };
    this.#sealed = true;
    this.#problem = null;
  }

  #note(reason: string | null): void {
    if (reason !== null && reason !== this.#problem) this.#log.warn({ reason }, "a container's log can't be read now");
    this.#problem = reason;
  }

  #lost(): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#deps.onLost();
  }
}
