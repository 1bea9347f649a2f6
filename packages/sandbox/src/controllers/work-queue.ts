/**
 * Handles keys one after another, each at most once in the queue, never inside the call that adds it: who is told of a
 * change and changes something else must not come between the change and others who are told of it.
 */
export class WorkQueue {
  readonly #keys = new Set<string>();
  readonly #handle: (key: string) => void | Promise<void>;
  readonly #failed: (key: string, error: unknown) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #running = false;
  #closed = false;

  constructor(handle: (key: string) => void | Promise<void>, failed: (key: string, error: unknown) => void) {
    this.#handle = handle;
    this.#failed = failed;
  }

  /** Adds a key after some time, once for all that ask for it meanwhile. */
  addLater(key: string, ms: number): void {
    if (this.#timers.has(key) || this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, ms);
    this.#timers.set(key, timer);
  }

  add(key: string): void {
    this.#keys.add(key);
    if (this.#running || this.#closed) return;
    this.#running = true;
    setImmediate(() => void this.#drain());
  }

  close(): void {
    this.#closed = true;
    this.#keys.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    for (const key of this.#keys) {
      this.#keys.delete(key);
      try {
        await this.#handle(key);
      } catch (error) {
        this.#failed(key, error);
      }
    }
    this.#running = false;
  }
}
