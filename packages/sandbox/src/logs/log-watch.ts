/** `created`: the file was made anew under its name. `changed`: anything else in the folder. */
export type LogEvent = "changed" | "created";

/** The kernel's limit of what it keeps for one inotify instance; what is more gets lost. */
const MAX_EVENTS = 16_384;

/** A watch of a container's log folder: its events wait in order until they are asked for, equal ones as one (inotify(7)). */
export class LogWatch {
  readonly #events: LogEvent[] = [];
  readonly #forget: (watch: LogWatch) => void;
  #wake: (() => void) | undefined;

  constructor(forget: (watch: LogWatch) => void) {
    this.#forget = forget;
  }

  push(event: LogEvent): void {
    if (this.#events.at(-1) === event || this.#events.length >= MAX_EVENTS) return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** The next event; `tick` when none has come for so long, or the signal aborts. */
  async next(ms: number, signal: AbortSignal): Promise<LogEvent | "tick"> {
    if (this.#events.length === 0 && !signal.aborted) await this.#wait(ms, signal);
    return this.#events.shift() ?? "tick";
  }

  close(): void {
    this.#forget(this);
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
