import { abortFailure } from "./failure.ts";

/** Lets at most so many in at once; the others wait in their order. */
export class Slots {
  readonly #limit: number;
  readonly #waiting = new Set<{ enter: () => void; refuse: (reason: Error) => void }>();
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True when nobody is in. */
  get free(): boolean {
    return this.#taken === 0;
  }

  /** Waits for a place and works there. Rejects with what the signal says when it is aborted first. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw abortFailure(signal);
    if (this.#taken < this.#limit) this.#taken += 1;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Refuses all who wait. */
  refuse(reason: Error): void {
    for (const waiter of this.#waiting) waiter.refuse(reason);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", onAbort);
      };
      const waiter = {
        enter: () => {
          leave();
          resolve();
        },
        refuse: (reason: Error) => {
          leave();
          reject(reason);
        },
      };
      const onAbort = (): void => waiter.refuse(abortFailure(signal));
      this.#waiting.add(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** The place goes to who has waited longest, if anybody does. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken -= 1;
    else next.enter();
  }
}
