import type { ScanResult, ScanTask } from "./scan-task.ts";
import { ScanWorker } from "./scan-worker.ts";

const DEFAULT_SIZE = 2;
const DEFAULT_LIMIT_MS = 2_000;

export interface ScanPoolOptions {
  /** Threads at most. (Default: 2) */
  size?: number | undefined;
  /** How long a pattern may take on the few chunks of one task, in milliseconds. (Default: 2,000) */
  limitMs?: number | undefined;
}

interface Job {
  task: ScanTask;
  start: (worker: ScanWorker) => void;
  reject: (error: Error) => void;
}

/** Threads that scan chunks, so that no pattern holds up the one that serves. */
export class ScanPool implements AsyncDisposable {
  readonly #workers: ScanWorker[];
  readonly #free: ScanWorker[];
  readonly #queue: Job[] = [];
  #closed = false;

  constructor({ size = DEFAULT_SIZE, limitMs = DEFAULT_LIMIT_MS }: ScanPoolOptions = {}) {
    this.#workers = Array.from({ length: size }, () => new ScanWorker(limitMs));
    this.#free = [...this.#workers];
  }

  /**
   * The chunks' data goes to a worker and is empty afterwards.
   *
   * @throws the signal's reason, or what {@link ScanWorker.run} throws
   */
  async run(task: ScanTask, signal: AbortSignal): Promise<ScanResult> {
    signal.throwIfAborted();
    if (this.#closed) throw closed();
    return await new Promise((resolve, reject) => {
      const job: Job = {
        task,
        reject,
        start: (worker) =>
          void worker
            .run(task)
            .then(resolve, reject)
            .finally(() => finish(worker)),
      };
      const abort = (): void => {
        const waiting = this.#queue.indexOf(job);
        if (waiting !== -1) this.#queue.splice(waiting, 1);
        reject(signal.reason as Error);
      };
      const finish = (worker: ScanWorker): void => {
        signal.removeEventListener("abort", abort);
        this.#free.push(worker);
        this.#dispatch();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0)) job.reject(closed());
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && this.#free.length > 0) this.#queue.shift()!.start(this.#free.pop()!);
  }
}

function closed(): Error {
  return new Error("the threads that search logs have ended");
}
