import {
  free,
  isTailraceError,
  type CommitOutcome,
  type LogStore,
  type StoredChunk,
  type StreamCommit,
} from "@tailrace/core";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { backoffMs } from "../supervisor/backoff.ts";
import { mayRead, type Pressure } from "./admission.ts";
import { Changes } from "./changes.ts";
import { race } from "./race.ts";
import { Backlog, settle, type BacklogHead, type BacklogQueue, type Spooled } from "./spool/backlog.ts";
import { storeCommits } from "./store-commits.ts";
import {
  BATCH_BYTES,
  BATCH_COMMITS,
  WaitingQueue,
  type Submission,
  type Waiting,
  type WaitingQueueDeps,
} from "./waiting-queue.ts";

export interface CommitterDeps extends WaitingQueueDeps {
  store: Pick<LogStore, "commitLogs" | "handOver">;
  spool: BacklogQueue;
  /** In bytes. */
  spoolLimit: number;
  log: Logger;
  /** Told of chunks that were stored just now, and when their bytes had been read. */
  onCommitted: (chunks: readonly StoredChunk[], readAt: number) => void;
}

/** Bytes in memory above which reading waits, or, where the database does not keep up, the disk is used. */
const MEMORY_LIMIT = 12 * 1024 * 1024;

/** A statement that takes longer than this shows that the database does not keep up, and so does what waits so long where memory is full. */
const STALL_MS = 1000;

/** After so many refusals that are not the database's absence, lines are handed over instead. */
const REFUSALS = 5;

const SPILL_RETRY_MS = 1000;

/**
 * Brings what all streams have read into the store, in the order in which it came. Where the database is away or too slow,
 * everything that waits goes to the disk, and from there into the store when it can.
 */
export class Committer {
  readonly #deps: CommitterDeps;
  readonly #closing = new AbortController();
  readonly #loops: Promise<void>[];
  readonly #watch: NodeJS.Timeout;
  readonly #waiting: WaitingQueue;
  readonly #backlog: Backlog;
  readonly #changes = new Changes();
  /** On its way to the database, and not in {@link #waiting} any more. */
  #inFlight: Waiting[] = [];
  /** When the statement under way was sent. */
  #sentAt: number | null = null;
  #inFlightSpooled: Spooled[] | null = null;
  #spooling = false;
  /** True while the database keeps up and little is left on the disk: what comes then waits in memory, else that would never end. */
  #emptying = false;
  /** True while nothing can be written to the disk, and nothing is being written. */
  #diskFails = false;
  #failures = 0;
  /** So many of the records on the disk are stored one by one: the database has refused one of them. */
  #alone = 0;
  #closed: Promise<void> | null = null;

  constructor(deps: CommitterDeps) {
    this.#deps = deps;
    this.#waiting = new WaitingQueue(deps, () => this.#changes.notify());
    this.#backlog = new Backlog(deps.spool);
    this.#watch = setInterval(() => this.#noteStall(), STALL_MS / 4);
    this.#loops = [this.#storeLoop(), this.#spillLoop()];
  }

  get pressure(): Pressure {
    return {
      memoryBytes: this.#waiting.bytes,
      memoryLimit: MEMORY_LIMIT,
      spooling: this.#spooling,
      spoolBytes: this.#backlog.bytes,
      spoolLimit: this.#deps.spoolLimit,
    };
  }

  /** True while the disk is used. */
  get spooling(): boolean {
    return this.#spooling;
  }

  /** Resolves when reading may go on, or when the signal aborts. */
  async admission(inCurrentFile: boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !mayRead(this.pressure, inCurrentFile)) await this.#changes.next(signal);
  }

  mayRead(inCurrentFile: boolean): boolean {
    return mayRead(this.pressure, inCurrentFile);
  }

  submit(submission: Submission): void {
    this.#waiting.add(submission);
    this.#changes.notify();
  }

  /** Stores what can be stored within the time, and leaves the rest on the disk. Idempotent. */
  close(timeoutMs: number): Promise<void> {
    return (this.#closed ??= this.#close(timeoutMs));
  }

  async #close(timeoutMs: number): Promise<void> {
    const limit = AbortSignal.timeout(timeoutMs);
    while (!limit.aborted && !this.#closing.signal.aborted && this.#busy()) await this.#changes.next(limit);
    clearInterval(this.#watch);
    this.#closing.abort();
    this.#changes.notify();
    await Promise.all(this.#loops);
    await this.#spillInFlight();
    while (this.#waiting.length > 0) await this.#spillFirst();
  }

  #busy(): boolean {
    return this.#waiting.length > 0 || this.#inFlight.length > 0 || !this.#backlog.empty;
  }

  async #storeLoop(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (!this.#backlog.empty) await this.#storeFromDisk(signal);
      else if (this.#spooling && this.#backlog.length === 0 && (this.#emptying || this.#waiting.length === 0))
        this.#endSpooling();
      else if (!this.#mayStoreFromMemory || this.#waiting.length === 0) await this.#changes.next(signal);
      else await this.#storeFromMemory(signal);
    }
  }

  /** What is on the disk came first. */
  get #mayStoreFromMemory(): boolean {
    return !this.#spooling || (this.#diskFails && this.#backlog.length === 0);
  }

  async #storeFromMemory(signal: AbortSignal): Promise<void> {
    await this.#waiting.first!.stored;
    if (!this.#mayStoreFromMemory || signal.aborted) return;
    const batch = this.#waiting.takeBatch();
    this.#inFlight = batch;
    const commits = await Promise.all(batch.map(async ({ commit, stored }) => ({ ...commit, chunks: await stored })));
    const outcomes = await race(this.#tryStore(commits), signal);
    // The process ends: the batch stays in flight, to be written to the disk.
    if (outcomes === "aborted") return;
    if (outcomes instanceof Error) return await this.#keepBatch(batch, signal);
    const spooled = this.#inFlightSpooled;
    for (const record of spooled ?? []) record.settled = true;
    this.#endBatch(batch);
    for (const [index, each] of batch.entries()) this.#tell(each, commits[index]!, outcomes[index]!);
    // It may be on its way to the disk at this moment.
    if (spooled !== null) return;
    for (const { chunks } of commits) for (const { data } of chunks) free(data.buffer);
  }

  /** What could not be stored waits on: on the disk, as far as it was written there meanwhile, and in memory. */
  async #keepBatch(batch: readonly Waiting[], signal: AbortSignal): Promise<void> {
    this.#startSpooling();
    const spooled = (): number => this.#inFlightSpooled?.length ?? 0;
    const pending = (): boolean => this.#inFlightSpooled !== null && spooled() < batch.length && !this.#diskFails;
    while (pending() && !signal.aborted) await this.#changes.next(signal);
    if (signal.aborted) return;
    this.#waiting.putBack(batch.slice(spooled()));
    this.#endBatch(batch.slice(0, spooled()));
    if (this.#diskFails) await this.#pauseAfterFailure(signal);
  }

  #endBatch(free: readonly Waiting[]): void {
    this.#inFlight = [];
    this.#inFlightSpooled = null;
    this.#waiting.free(free);
    this.#changes.notify();
  }

  async #pauseAfterFailure(signal: AbortSignal): Promise<void> {
    await sleep(backoffMs(this.#failures, Math.random()), undefined, { signal }).catch(() => undefined);
  }

  /** @returns an outcome for each, or why the store could not do it */
  async #tryStore(commits: readonly StreamCommit[]): Promise<CommitOutcome[] | Error> {
    const { store, log } = this.#deps;
    this.#sentAt = performance.now();
    try {
      const outcomes = await storeCommits(store, commits);
      this.#failures = 0;
      return outcomes;
    } catch (error) {
      this.#failures += 1;
      const level = isTailraceError(error, "UNAVAILABLE") ? "warn" : "error";
      if (this.#failures === 1 || level === "error")
        log[level]({ err: error, failures: this.#failures }, "could not store logs; they wait on the disk");
      return error as Error;
    } finally {
      this.#sentAt = null;
    }
  }

  /** As many at once as from memory, else the disk would fill faster than it is emptied. */
  async #storeFromDisk(signal: AbortSignal): Promise<void> {
    const head = await this.#backlog.peek({ commits: this.#alone > 0 ? 1 : BATCH_COMMITS, bytes: BATCH_BYTES });
    if (head === null) return;
    if (head.open.length > 0) {
      const outcomes = await race(this.#tryStore(head.open.map(({ commit }) => commit)), signal);
      if (outcomes === "aborted") return;
      if (outcomes instanceof Error) return await this.#afterFailure(head, outcomes, signal);
      for (const [at, { commit, record }] of head.open.entries()) this.#tell(record, commit, outcomes[at]!);
    }
    this.#alone = Math.max(0, this.#alone - head.length);
    await head.drop();
    this.#emptying = this.#backlog.length < BATCH_COMMITS && this.#backlog.bytes < BATCH_BYTES;
    this.#changes.notify();
  }

  /** What the database refuses for a reason of its own must not hold up all the others for ever. */
  async #afterFailure({ length, open }: BacklogHead, error: Error, signal: AbortSignal): Promise<void> {
    this.#startSpooling();
    const refused = !isTailraceError(error, "UNAVAILABLE");
    if (refused && length > 1) this.#alone = length;
    if (!refused || length > 1 || this.#failures < REFUSALS) return await this.#pauseAfterFailure(signal);
    const [{ commit, record }] = open as [BacklogHead["open"][number]];
    this.#failures = 0;
    try {
      await this.#deps.store.handOver(commit);
    } catch (failure) {
      this.#deps.log.error({ err: failure, stream: commit.stream.id }, "lines can't be stored nor handed over");
      return;
    }
    settle(record, "lost");
  }

  async #spillLoop(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        if (!this.#spooling) await this.#changes.next(signal);
        else if ((this.#inFlightSpooled?.length ?? 0) < this.#inFlight.length) await this.#spillInFlight();
        else if (this.#waiting.length > 0 && this.#maySpill) await this.#spillFirst();
        else await this.#changes.next(signal);
      } catch (error) {
        this.#deps.log.error({ err: error }, "the spool can't be written to; reading waits when memory is full");
        this.#diskFails = true;
        this.#changes.notify();
        await sleep(SPILL_RETRY_MS, undefined, { signal }).catch(() => undefined);
        this.#diskFails = false;
      }
    }
  }

  /** What is on its way is written down first: this process may be killed before the database answers. */
  async #spillInFlight(): Promise<void> {
    const batch = this.#inFlight;
    const spooled = (this.#inFlightSpooled ??= []);
    while (spooled.length < batch.length && this.#inFlight === batch) {
      const record = await this.#backlog.push(batch[spooled.length]!);
      // The database may have answered meanwhile.
      if (this.#inFlight !== batch) record.settled = true;
      spooled.push(record);
    }
    this.#changes.notify();
  }

  async #spillFirst(): Promise<void> {
    const first = this.#waiting.first!;
    await first.stored;
    if (this.#waiting.first !== first || !this.#maySpill) return;
    await this.#backlog.push(first);
    this.#waiting.dropFirst();
    this.#changes.notify();
  }

  get #maySpill(): boolean {
    return this.#closing.signal.aborted || (this.#spooling && !this.#emptying);
  }

  #noteStall(): void {
    const full = this.#waiting.bytes >= MEMORY_LIMIT;
    const oldest = this.#inFlight[0] ?? this.#waiting.first;
    const since = full ? (oldest?.submittedAt ?? null) : this.#sentAt;
    if (since !== null && performance.now() - since > STALL_MS) this.#startSpooling();
  }

  #startSpooling(): void {
    if (this.#spooling && !this.#emptying) return;
    this.#spooling = true;
    this.#emptying = false;
    this.#changes.notify();
  }

  #endSpooling(): void {
    this.#spooling = false;
    this.#emptying = false;
    this.#deps.log.info("everything that waited on the disk is stored");
    this.#changes.notify();
  }

  #tell({ readAt, done }: Pick<Submission, "readAt" | "done">, commit: StreamCommit, outcome: CommitOutcome): void {
    if (outcome === "committed") this.#deps.onCommitted(commit.chunks, readAt);
    done(outcome);
  }
}
