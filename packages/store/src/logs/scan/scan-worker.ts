import { Worker } from "node:worker_threads";
import type { PatternPlace } from "./line-filter.ts";
import { patternError } from "./pattern-error.ts";
import { LISTS, STATE, type ScanAnswer, type ScanResult, type ScanTask } from "./scan-task.ts";

/** More than an expression needs that is any good. */
const HEAP_MB = 256;

interface Thread {
  worker: Worker;
  state: Int32Array;
}

/** One thread that scans, started when it is first needed. One task at a time. */
export class ScanWorker {
  readonly #limitMs: number;
  #thread: Thread | null = null;
  #lastId = 0;

  /** @param limitMs - how long a task may be in its patterns */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** @throws TailraceError BAD_REQUEST, naming a pattern that takes too long or that the engine can't do */
  async run(task: ScanTask): Promise<ScanResult> {
    const thread = (this.#thread ??= this.#start());
    const id = (this.#lastId = (this.#lastId + 1) | 0);
    thread.worker.ref();
    try {
      const answer = await this.#ask(thread, { ...task, id });
      if (answer.kind === "pattern_failed")
        throw patternError(placeOf(thread), `must be an expression that can be searched for: ${answer.reason}`);
      if (answer.kind === "failed") throw new Error(answer.message);
      return answer.result;
    } finally {
      thread.worker.unref();
    }
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.worker.terminate();
  }

  #start(): Thread {
    const state = new Int32Array(new SharedArrayBuffer(STATE.length * Int32Array.BYTES_PER_ELEMENT));
    const worker = new Worker(new URL("./scan.worker.ts", import.meta.url), {
      workerData: state.buffer,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    // Whoever waits for an answer hears of it too; without a listener it would end the process.
    worker.on("error", () => undefined);
    worker.once("exit", () => {
      if (this.#thread?.worker === worker) this.#thread = null;
    });
    return { worker, state };
  }

  #ask(thread: Thread, task: ScanTask & { id: number }): Promise<ScanAnswer> {
    const { worker } = thread;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => settle(() => reject(error));
      const gone = (): void => fail(new Error("the thread that searches logs has ended"));
      const answered = (answer: ScanAnswer): void => settle(() => resolve(answer));
      let busySince: number | null = null;
      const watch = setInterval(() => {
        // Only what was seen from here counts: neither the thread's start nor a pause of this one.
        busySince = isInPattern(thread, task.id) ? (busySince ?? performance.now()) : null;
        if (busySince === null || performance.now() - busySince < this.#limitMs) return;
        this.#thread = null;
        fail(patternError(placeOf(thread), `must not take longer than ${this.#limitMs} ms on a few lines`));
        void worker.terminate();
      }, this.#limitMs / 4);
      const settle = (how: () => void): void => {
        clearInterval(watch);
        worker.off("message", answered).off("error", fail).off("exit", gone);
        how();
      };
      worker.on("message", answered).on("error", fail).on("exit", gone);
      worker.postMessage(
        task,
        task.chunks.map(({ stored }) => stored.data.buffer),
      );
    });
  }
}

function isInPattern({ state }: Thread, id: number): boolean {
  return (
    Atomics.load(state, STATE.begun) === id &&
    Atomics.load(state, STATE.ended) !== id &&
    Atomics.load(state, STATE.list) !== LISTS.none
  );
}

function placeOf({ state }: Thread): PatternPlace {
  const list = Atomics.load(state, STATE.list) === LISTS.exclude ? "exclude" : "include";
  return { list, index: Atomics.load(state, STATE.index) };
}
