import type { Chunk, CommitOutcome, StoredChunk, StreamCommit } from "@tailrace/core";
import { Gate } from "../supervisor/gate.ts";

/** What one stream adds, before its chunk is compressed. */
export interface Submission {
  commit: Omit<StreamCommit, "chunks">;
  chunk: Chunk | null;
  /** When its last bytes were read, by `performance.now()`. */
  readAt: number;
  /** Told once what became of it. Lines that are `lost` were handed over. */
  done: (outcome: CommitOutcome) => void;
}

export interface Waiting extends Submission {
  /** What it takes in memory: fewer, once it is compressed. */
  bytes: number;
  submittedAt: number;
  stored: Promise<StoredChunk[]>;
  /** True once `stored` has resolved. */
  ready: boolean;
}

export interface WaitingQueueDeps {
  storeChunk: (chunk: Chunk) => Promise<StoredChunk>;
  /** Takes the memory of a chunk back that was compressed. */
  release: (buffer: ArrayBufferLike) => void;
}

/** What one statement carries at most, compressed. */
export const BATCH_BYTES = 4 * 1024 * 1024;
export const BATCH_COMMITS = 200;

/** Compressions at once; a further core is left to the kubelet and PostgreSQL. */
const COMPRESSIONS = 2;

/** What waits in memory to be stored, in the order in which it came; its chunks are compressed meanwhile. */
export class WaitingQueue {
  readonly #deps: WaitingQueueDeps;
  readonly #onReady: () => void;
  readonly #gate = new Gate(COMPRESSIONS);
  #queue: Waiting[] = [];
  #bytes = 0;

  /** @param onReady - told when one takes less memory, because it is compressed */
  constructor(deps: WaitingQueueDeps, onReady: () => void) {
    this.#deps = deps;
    this.#onReady = onReady;
  }

  /** Bytes in memory, those included that were taken and not {@link free}d. */
  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#queue.length;
  }

  get first(): Waiting | undefined {
    return this.#queue[0];
  }

  add(submission: Submission): void {
    const { chunk } = submission;
    const bytes = chunk?.payloadBytes ?? 0;
    this.#bytes += bytes;
    const stored = chunk === null ? Promise.resolve([]) : this.#gate.run(() => this.#compress(chunk));
    const waiting: Waiting = { ...submission, bytes, submittedAt: performance.now(), stored, ready: chunk === null };
    // Whoever takes it from the queue meets a failure.
    stored.then(
      ([one]) => this.#noteReady(waiting, one?.data.length ?? 0),
      () => undefined,
    );
    this.#queue.push(waiting);
  }

  #noteReady(waiting: Waiting, bytes: number): void {
    this.#bytes += bytes - waiting.bytes;
    waiting.bytes = bytes;
    waiting.ready = true;
    this.#onReady();
  }

  /** Takes the first one, and of those behind it what is compressed already. */
  takeBatch(): Waiting[] {
    const batch = [this.#queue.shift()!];
    let bytes = batch[0]!.bytes;
    for (let next = this.#queue[0]; next?.ready === true; next = this.#queue[0]) {
      bytes += next.bytes;
      if (bytes > BATCH_BYTES || batch.length === BATCH_COMMITS) break;
      batch.push(next);
      this.#queue.shift();
    }
    return batch;
  }

  putBack(batch: readonly Waiting[]): void {
    this.#queue = [...batch, ...this.#queue];
  }

  /** Takes the first one, for good. */
  dropFirst(): void {
    this.free([this.#queue.shift()!]);
  }

  /** What was taken is not in memory any more. */
  free(batch: readonly Waiting[]): void {
    for (const { bytes } of batch) this.#bytes -= bytes;
  }

  async #compress(chunk: Chunk): Promise<StoredChunk[]> {
    const stored = await this.#deps.storeChunk(chunk);
    // What was not compressed is the chunk's own memory.
    if (stored.data.buffer !== chunk.payload.buffer) this.#deps.release(chunk.payload.buffer);
    return [stored];
  }
}
