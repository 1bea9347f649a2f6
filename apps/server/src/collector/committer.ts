import { setTimeout as sleep } from "node:timers/promises";
import {
  isTailraceError,
  type Chunk,
  type CommitOutcome,
  type LogStore,
  type StoredChunk,
  type StreamCommit,
} from "@tailrace/core";
import type { Logger } from "pino";
import { backoffMs } from "../supervisor/backoff.ts";
import { Gate } from "../supervisor/gate.ts";
import { mayRead, type Pressure } from "./admission.ts";
import { joinCommits } from "./join-commits.ts";
import type { DiskQueue } from "./spool/disk-queue.ts";

/** What one stream adds, before its chunk is compressed. */
export interface Submission {
  commit: Omit<StreamCommit, "chunks">;
  chunk: Chunk | null;
  /** When its last bytes were read, by `performance.now()`. */
  readAt: number;
  /** Told once what became of it. Lines that are `lost` were handed over. */
  done: (outcome: CommitOutcome) => void;
}

export interface CommitterDeps {
  store: Pick<LogStore, "commitLogs" | "handOver">;
  storeChunk: (chunk: Chunk) => Promise<StoredChunk>;
  /** Takes the memory of a chunk back that was compressed. */
  release: (buffer: ArrayBufferLike) => void;
  spool: DiskQueue;
  /** In bytes. */
  spoolLimit: number;
  log: Logger;
  /** Told of chunks that were stored just now, and when their bytes had been read. */
  onCommitted: (chunks: readonly StoredChunk[], readAt: number) => void;
}

/** Bytes of lines in memory above which reading waits, or, where the database does not keep up, the disk is used. */
const MEMORY_LIMIT = 24 * 1024 * 1024;

/** What waits longer than this to be stored shows that the database does not keep up. */
const STALL_MS = 1000;

/** What one statement carries at most. */
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_COMMITS = 200;

/** Compressions at once; a further core is left to the kubelet and PostgreSQL. */
const COMPRESSIONS = 2;

/** After so many refusals that are not the database's absence, lines are handed over instead. */
const REFUSALS = 5;

const SPILL_RETRY_MS = 1000;

interface Waiting extends Submission {
  bytes: number;
  submittedAt: number;
  stored: Promise<StoredChunk[]>;
  /** True once `stored` has resolved. */
  ready: boolean;
}

/** Who waits for a record on the disk; `settled` once the same commit was stored from memory after all. */
type Spooled = Pick<Submission, "readAt" | "done"> & { settled: boolean };

/**
 * Brings what all streams have read into the store, in the order in which it came. Where the database is away or too slow,
 * everything that waits goes to the disk, and from there into the store when it can.
 */
export class Committer {
  readonly #deps: CommitterDeps;
  readonly #gate = new Gate(COMPRESSIONS);
  readonly #closing = new AbortController();
  readonly #loops: Promise<void>[];
  readonly #watch: NodeJS.Timeout;
  #waiting: Waiting[] = [];
  /** On its way to the database, and not in {@link #waiting} any more. */
  #inFlight: Waiting[] = [];
  #inFlightSpooled: Spooled[] | null = null;
  /** Who waits for the records on the disk, in their order. */
  #spooled: Spooled[] = [];
  #memoryBytes = 0;
  #spooling = false;
  #failures = 0;
  readonly #sleepers = new Set<() => void>();

  constructor(deps: CommitterDeps) {
    this.#deps = deps;
    this.#watch = setInterval(() => this.#noteStall(), STALL_MS / 4);
    this.#loops = [this.#storeLoop(), this.#spillLoop()];
  }

  get pressure(): Pressure {
    return {
      memoryBytes: this.#memoryBytes,
      memoryLimit: MEMORY_LIMIT,
      spooling: this.#spooling,
      spoolBytes: this.#deps.spool.bytes,
      spoolLimit: this.#deps.spoolLimit,
    };
  }

  /** True while what is submitted goes to the disk: few and large pieces are better then. */
  get spooling(): boolean {
    return this.#spooling;
  }

  /** Resolves when reading may go on, or when the signal aborts. */
  async admission(inCurrentFile: boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !mayRead(this.pressure, inCurrentFile)) await this.#change(signal);
  }

  mayRead(inCurrentFile: boolean): boolean {
    return mayRead(this.pressure, inCurrentFile);
  }

  submit(submission: Submission): void {
    const { chunk } = submission;
    const bytes = chunk?.payloadBytes ?? 0;
    this.#memoryBytes += bytes;
    const stored = chunk === null ? Promise.resolve([]) : this.#gate.run(() => this.#compress(chunk));
    const waiting: Waiting = { ...submission, bytes, submittedAt: performance.now(), stored, ready: chunk === null };
    // Whoever takes it from the queue meets a failure.
    stored.then(
      () => (waiting.ready = true),
      () => undefined,
    );
    this.#waiting.push(waiting);
    this.#changed();
  }

  /** Stores what can be stored within the time, and leaves the rest on the disk. Idempotent. */
  async close(timeoutMs: number): Promise<void> {
    const limit = AbortSignal.timeout(timeoutMs);
    while (!limit.aborted && !this.#closing.signal.aborted && this.#busy()) await this.#change(limit);
    clearInterval(this.#watch);
    this.#closing.abort();
    this.#changed();
    await Promise.all(this.#loops);
    await this.#spillInFlight();
    while (this.#waiting.length > 0) await this.#spillFirst();
  }

  #busy(): boolean {
    return this.#waiting.length > 0 || this.#inFlight.length > 0 || !this.#deps.spool.empty;
  }

  async #compress(chunk: Chunk): Promise<StoredChunk[]> {
    const stored = await this.#deps.storeChunk(chunk);
    // What was not compressed is the chunk's own memory.
    if (stored.data.buffer !== chunk.payload.buffer) this.#deps.release(chunk.payload.buffer);
    return [stored];
  }

  async #storeLoop(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (!this.#deps.spool.empty) await this.#storeFromDisk(signal);
      else if (this.#spooling && this.#spooled.length + this.#waiting.length === 0) this.#endSpooling();
      else if (this.#spooling || this.#waiting.length === 0) await this.#change(signal);
      else await this.#storeFromMemory(signal);
    }
  }

  async #storeFromMemory(signal: AbortSignal): Promise<void> {
    await this.#waiting[0]!.stored;
    // Everything goes through the disk now, in its order.
    if (this.#spooling || signal.aborted) return;
    const batch = this.#takeBatch();
    this.#inFlight = batch;
    const commits = await Promise.all(batch.map(async ({ commit, stored }) => ({ ...commit, chunks: await stored })));
    const outcomes = await race(this.#tryStore(commits), signal);
    // The process ends: the batch stays in flight, to be written to the disk.
    if (outcomes === "aborted") return;
    const spooled = this.#inFlightSpooled;
    this.#inFlight = [];
    this.#inFlightSpooled = null;
    if (outcomes instanceof Error && spooled === null) this.#waiting = [...batch, ...this.#waiting];
    else this.#free(batch);
    if (outcomes instanceof Error) return void this.#startSpooling();
    for (const record of spooled ?? []) record.settled = true;
    for (const [index, each] of batch.entries()) this.#tell(each, commits[index]!, outcomes[index]!);
  }

  /** The oldest one, and of those behind it what is compressed already. */
  #takeBatch(): Waiting[] {
    const batch = [this.#waiting.shift()!];
    let bytes = batch[0]!.bytes;
    for (let next = this.#waiting[0]; next?.ready === true; next = this.#waiting[0]) {
      bytes += next.bytes;
      if (bytes > BATCH_BYTES || batch.length === BATCH_COMMITS) break;
      batch.push(next);
      this.#waiting.shift();
    }
    return batch;
  }

  /** @returns an outcome for each, or why the store could not do it */
  async #tryStore(commits: readonly StreamCommit[]): Promise<CommitOutcome[] | Error> {
    const { store, log } = this.#deps;
    try {
      const { joined, indexOf } = joinCommits(commits);
      const outcomes = await store.commitLogs(joined);
      for (const [index, outcome] of outcomes.entries()) if (outcome === "lost") await store.handOver(joined[index]!);
      this.#failures = 0;
      return commits.map((_, index) => outcomes[indexOf[index]!]!);
    } catch (error) {
      this.#failures += 1;
      const level = isTailraceError(error, "UNAVAILABLE") ? "warn" : "error";
      if (this.#failures === 1 || level === "error")
        log[level]({ err: error, failures: this.#failures }, "could not store logs; they wait on the disk");
      return error as Error;
    }
  }

  async #storeFromDisk(signal: AbortSignal): Promise<void> {
    const next = await this.#deps.spool.peek();
    if (next === null) return;
    const waiting = this.#spooled[0]!;
    if (!waiting.settled) {
      const outcomes = await race(this.#tryStore([next.commit]), signal);
      if (outcomes === "aborted") return;
      if (outcomes instanceof Error) return await this.#afterFailure(next.commit, outcomes, signal);
      this.#tell(waiting, next.commit, outcomes[0]!);
    }
    this.#spooled.shift();
    await next.drop();
    this.#changed();
  }

  /** What the database refuses for a reason of its own must not hold up all the others for ever. */
  async #afterFailure(commit: StreamCommit, error: Error, signal: AbortSignal): Promise<void> {
    if (isTailraceError(error, "UNAVAILABLE") || this.#failures < REFUSALS)
      return await sleep(backoffMs(this.#failures, Math.random()), undefined, { signal }).catch(() => undefined);
    this.#failures = 0;
    try {
      await this.#deps.store.handOver(commit);
    } catch (failure) {
      this.#deps.log.error({ err: failure, stream: commit.stream.id }, "lines can't be stored nor handed over");
      return;
    }
    this.#spooled[0]!.settled = true;
    this.#spooled[0]!.done("lost");
  }

  async #spillLoop(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        if (!this.#spooling) await this.#change(signal);
        else if ((this.#inFlightSpooled?.length ?? 0) < this.#inFlight.length) await this.#spillInFlight();
        else if (this.#waiting.length > 0) await this.#spillFirst();
        else await this.#change(signal);
      } catch (error) {
        this.#deps.log.error({ err: error }, "the spool can't be written to; reading waits when memory is full");
        await sleep(SPILL_RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** What is on its way is written down first: this process may be killed before the database answers. */
  async #spillInFlight(): Promise<void> {
    const batch = this.#inFlight;
    const spooled = (this.#inFlightSpooled ??= []);
    while (spooled.length < batch.length) spooled.push(await this.#spill(batch[spooled.length]!));
    this.#changed();
  }

  async #spillFirst(): Promise<void> {
    const first = this.#waiting[0]!;
    await first.stored;
    if (this.#waiting[0] !== first) return;
    await this.#spill(first);
    this.#waiting.shift();
    this.#free([first]);
  }

  async #spill({ commit, stored, readAt, done }: Waiting): Promise<Spooled> {
    const spooled = { readAt, done, settled: false };
    const chunks = await stored;
    this.#spooled.push(spooled);
    try {
      await this.#deps.spool.push({ ...commit, chunks });
    } catch (error) {
      this.#spooled.pop();
      throw error;
    }
    return spooled;
  }

  #noteStall(): void {
    const oldest = this.#inFlight[0] ?? this.#waiting[0];
    if (oldest !== undefined && performance.now() - oldest.submittedAt > STALL_MS) this.#startSpooling();
  }

  #startSpooling(): void {
    if (this.#spooling) return;
    this.#spooling = true;
    this.#changed();
  }

  #endSpooling(): void {
    this.#spooling = false;
    this.#deps.log.info("everything that waited on the disk is stored");
    this.#changed();
  }

  #free(batch: readonly Waiting[]): void {
    for (const { bytes } of batch) this.#memoryBytes -= bytes;
    this.#changed();
  }

  #tell({ readAt, done }: Pick<Submission, "readAt" | "done">, commit: StreamCommit, outcome: CommitOutcome): void {
    if (outcome === "committed") this.#deps.onCommitted(commit.chunks, readAt);
    done(outcome);
  }

  /** Resolves at the next change of anything, or when the signal aborts. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#sleepers.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#sleepers.add(done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }

  #changed(): void {
    for (const done of Array.from(this.#sleepers)) done();
  }
}

async function race<T>(work: Promise<T>, signal: AbortSignal): Promise<T | "aborted"> {
  if (signal.aborted) return "aborted";
  let stop = (): void => undefined;
  const aborted = new Promise<"aborted">((resolve) => {
    stop = () => resolve("aborted");
    signal.addEventListener("abort", stop, { once: true });
  });
  return await Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", stop));
}
