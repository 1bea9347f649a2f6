import type { ApiStore } from "../context.ts";

/** What is stored is looked for at least so often: an announcement may have been lost with its connection. */
const POLL_MS = 2_000;

/** Lets a reader wait until more of a run's logs is stored. */
export class LogNews implements Disposable {
  readonly #unsubscribe: () => void;
  #heard = false;
  #wake: () => void = () => undefined;

  /** From now on nothing is missed. */
  constructor(store: Pick<ApiStore, "onLogsWritten">, runId: string) {
    this.#unsubscribe = store.onLogsWritten((written) => {
      if (written !== runId) return;
      this.#heard = true;
      this.#wake();
    });
  }

  /** Resolves when there may be more than at the last call, after `ms`, or when the signal aborts. */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#heard && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(ms, POLL_MS));
        signal.addEventListener("abort", done);
        this.#wake = done;
      });
    }
    this.#heard = false;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }
}
