/** One sleeper that can be woken; a wake-up while nobody sleeps counts for the next sleep. */
export class Waker {
  #pending = false;
  #resolve: (() => void) | null = null;

  wake(): void {
    if (this.#resolve === null) this.#pending = true;
    else this.#resolve();
  }

  /** Resolves after `ms`, when woken, or when the signal aborts. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#pending || signal.aborted) {
      this.#pending = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#resolve = null;
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, Math.min(ms, 2 ** 31 - 1)));
      signal.addEventListener("abort", done);
      this.#resolve = done;
    });
  }
}
