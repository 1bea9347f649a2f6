/**
 * Handles keys one after another, each at most once in the queue, never inside the call that adds it: who is told of a
 * change and changes something else must not come between the change and others who are told of it.
 */
export class WorkQueue {
  readonly #keys = new Set<string>();
  readonly #handle: (key: string) => void | Promise<void>;
  readonly #failed: (key: string, error: unknown) => void;
  #running = false;
  #closed = false;

  constructor(handle: (key: string) => void | Promise<void>, failed: (key: string, error: unknown) => void) {
    this.#handle = handle;
    this.#failed = failed;
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
