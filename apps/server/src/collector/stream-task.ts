import { isTailraceError, type Chunk, type LogSource, type ObservedInstance, type StreamRecord } from "@tailrace/core";
import type { Logger } from "pino";
import { backoffMs } from "../supervisor/backoff.ts";
import { Waker } from "../supervisor/waker.ts";
import { ObservedContainer } from "./observed-container.ts";
import type { ReadingEnd } from "./reading.ts";
import { sealStream } from "./seal-stream.ts";
import { startGap } from "./start-gap.ts";
import type { StreamDeps } from "./stream-deps.ts";
import { StreamSource } from "./stream-source.ts";
import { StreamWriter, type OpenGap } from "./stream-writer.ts";
import { TailCompaction } from "./tail-compaction.ts";

/** Follows one container instance from its first line to its seal. */
export class StreamTask {
  readonly #deps: StreamDeps;
  readonly #step: { id: string; fence: number };
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #finish = new AbortController();
  /** Reading ends with the lease, and when the stream is to be sealed as it is. */
  readonly #signal = AbortSignal.any([this.#abort.signal, this.#finish.signal]);
  readonly #waker = new Waker();
  readonly #seenAt = Date.now();
  readonly #container: ObservedContainer;
  #record: StreamRecord | null = null;
  #writer: StreamWriter | null = null;
  #source: StreamSource | null = null;
  #problem: string | null = null;
  #sealed = false;

  /** Settles when the stream is sealed, or given up with its lease; never rejects. */
  readonly done: Promise<void>;

  constructor(deps: StreamDeps, step: { id: string; fence: number }, observed: ObservedInstance) {
    this.#deps = deps;
    this.#step = step;
    this.#container = new ObservedContainer(observed);
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
    return this.#source?.source ?? "api";
  }

  get observed(): ObservedInstance {
    return this.#container.observed;
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
    this.#container.observed = observed;
    this.#waker.wake();
  }

  /** The pod is not in the cluster any more. */
  podGone(): void {
    this.#container.gone = true;
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
    const compaction = this.#makeCompaction(record);
    const writer = (this.#writer = this.#makeWriter(record, compaction));
    const source = (this.#source = this.#makeSource(writer));
    writer.judgeStartBy((first) => this.#judgeStart(first, source));
    await this.#insist(() => source.join(null));
    const truncated = await this.#read(writer, source);
    if (truncated !== undefined) await this.#insist(() => this.#seal(truncated, { writer, source, compaction }));
  }

  #makeCompaction(record: StreamRecord): TailCompaction {
    const { fence, nextSeq: fromSeq } = record;
    const onError = (error: unknown): void => this.#log.warn({ err: error }, "could not join small chunks of a log");
    return new TailCompaction({ stream: record, fence, fromSeq }, this.#deps, this.#deps.compactions, onError);
  }

  #makeWriter(record: StreamRecord, compaction: TailCompaction): StreamWriter {
    const { committer, pool, onGap } = this.#deps;
    const onStored = compaction.stored.bind(compaction);
    return new StreamWriter(record, { committer, pool, onGap, onStored, onLost: () => this.#lost() });
  }

  #makeSource(writer: StreamWriter): StreamSource {
    return new StreamSource(this.#deps, {
      writer,
      view: this.#container,
      admission: this.#deps.admission,
      signal: this.#signal,
      pause: (ms) => this.#waker.sleep(ms, this.#signal),
      onProblem: (reason) => this.#note(reason),
      log: this.#log,
    });
  }

  /** @returns why the output's end is not known, or null when it was read; undefined when the stream is another process's */
  async #read(writer: StreamWriter, source: StreamSource): Promise<string | null | undefined> {
    for (let failures = 0; ;) {
      const end = await this.#insist(() => source.read());
      if (this.#abort.signal.aborted || writer.lost) return undefined;
      if (end.kind === "ended") return null;
      if (end.kind === "gone") return end.reason;
      if (this.#finish.signal.aborted) return String(this.#finish.signal.reason);
      failures = (await this.#insist(() => this.#afterTrouble(end, source))) ? 0 : failures + 1;
      if (failures > 0) await this.#waker.sleep(backoffMs(failures, Math.random()), this.#signal);
    }
  }

  async #open(): Promise<StreamRecord | null> {
    const { store } = this.#deps;
    const { signal } = this.#abort;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        const { instance } = this.#container;
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

  /** Does again what a database could not do that is away: other streams are read meanwhile, and this one goes on then. */
  async #insist<T>(task: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await task();
      } catch (error) {
        if (!isTailraceError(error, "UNAVAILABLE") || this.#abort.signal.aborted) throw error;
        if (failures === 1) this.#log.warn({ err: error }, "a stream waits for the database");
        await this.#waker.sleep(backoffMs(failures, Math.random()), this.#abort.signal);
      }
    }
  }

  /** @returns false when nothing could be done but to try again */
  async #afterTrouble(end: ReadingEnd, source: StreamSource): Promise<boolean> {
    if (end.kind === "lost") {
      if (!(await source.fillGap(end.certain))) source.skipLoss(end.certain);
      return true;
    }
    if (end.kind !== "unavailable") return false;
    this.#note(end.reason);
    const reads = source.source;
    if (reads === "node") this.#deps.access.failed(this.#container.node, end.reason);
    const change = await source.change();
    if (change === "changed") return true;
    if (reads === "api" || !end.refused || change === "not_known") return false;
    await source.leaveNodeFiles();
    return true;
  }

  #judgeStart(first: Chunk, source: StreamSource): OpenGap | null {
    const { state } = this.#container.observed;
    return startGap({
      startedAt: state.phase === "waiting" ? null : state.startedAt,
      seenAt: this.#seenAt,
      firstLineAt: Number(first.firstTime / 1_000_000n),
      bytes: first.outputBytes,
      lastLineAt: Number(first.maxTime / 1_000_000n),
      rotated: source.rotatedBeforeStart,
    });
  }

  async #seal(
    truncated: string | null,
    { writer, source, compaction }: { writer: StreamWriter; source: StreamSource; compaction: TailCompaction },
  ): Promise<void> {
    if (truncated !== null) source.finish();
    writer.flushEnd(source.position ?? { source: "api" });
    const { signal } = this.#abort;
    await writer.settled(signal);
    await compaction.idle();
    const end = { source: source.source, truncated, view: this.#container };
    const seal = await sealStream(writer, end, this.#deps, signal);
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
