/** Lets any number wait for the next change of something. */
export class Changes {
  readonly #sleepers = new Set<() => void>();

  /** Resolves at the next change, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
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

  notify(): void {
    for (const done of Array.from(this.#sleepers)) done();
  }
}
