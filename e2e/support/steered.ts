import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { Program } from "@tailrace/sandbox";
import { isRunner, paddedLine, writeNumbered, type NumberedText } from "./numbered.ts";
import { until } from "./until.ts";

export interface SteeredOptions {
  /** How many runners there are. */
  runners: number;
  /** What they print. (Default: `paddedLine`) */
  text?: NumberedText;
  /** Lines that a runner prints once it was asked to end, before it ends. (Default: 0) */
  lastWords?: number;
}

/** Lines written at once. */
const BATCH = 100;

/** Runners that print their numbered lines when the test wants it, and end when it wants it or when they are asked to. */
export class SteeredRunners {
  readonly program: Program;
  /** When a runner was asked to end, by its pod, in milliseconds as `performance.now()` has them. */
  readonly stoppedAt = new Map<string, number>();
  readonly #count: number;
  readonly #printed = new Map<string, number>();
  #target = 0;
  #finished = false;
  #printing: NodeJS.Timeout | undefined;
  #change = Promise.withResolvers<void>();

  constructor({ runners, text = paddedLine, lastWords = 0 }: SteeredOptions) {
    this.#count = runners;
    this.program = {
      matches: isRunner,
      run: async (output, { pod: { metadata }, resumed, terminated }) => {
        const { name } = metadata;
        await resumed;
        const ended = new Promise<void>((resolve) => {
          terminated.addEventListener("abort", () => {
            this.stoppedAt.set(name, performance.now());
            resolve();
          });
        });
        let n = 0;
        const print = async (end: number): Promise<void> => {
          for (; n < end; n = Math.min(end, n + BATCH)) {
            writeNumbered(output, text, name, n, Math.min(end, n + BATCH));
            await turn();
          }
          this.#printed.set(name, n);
        };
        for (;;) {
          const change = this.#change.promise;
          await print(this.#target);
          if (this.#finished || terminated.aborted) break;
          await Promise.race([change, ended]);
        }
        if (terminated.aborted) await print(n + lastWords);
        return terminated.aborted ? 103 : 0;
      },
    };
  }

  /** How many lines each runner was asked to print in all. */
  get target(): number {
    return this.#target;
  }

  /** Resolves when every runner has printed its first `end` lines. */
  async print(end: number): Promise<void> {
    this.#target = end;
    this.#wake();
    await until(`${end} lines of ${this.#count} runners`, () => {
      const printed = Array.from(this.#printed.values());
      return printed.length === this.#count && printed.every((n) => n >= end);
    });
  }

  /** From now on each runner prints so many lines more every 50 ms, until {@link finish} or {@link pause}. */
  keepPrinting(lines: number): void {
    this.#printing ??= setInterval(() => {
      this.#target += lines;
      this.#wake();
    }, 50);
  }

  /** Ends {@link keepPrinting}. */
  pause(): void {
    clearInterval(this.#printing);
    this.#printing = undefined;
  }

  /** Lets the runners end when they have printed their lines. */
  finish(): void {
    this.pause();
    this.#finished = true;
    this.#wake();
  }

  /** For the runners of another run. */
  reset(): void {
    this.pause();
    this.#printed.clear();
    this.stoppedAt.clear();
    this.#target = 0;
    this.#finished = false;
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

/** Lines of about 1 KiB of which three quarters can't be compressed. */
export function noisyLine(pod: string, n: number): string {
  const hash = createHash("shake256", { outputLength: 720 }).update(`${pod} ${n}`);
  return `stream=${pod} n=${n} ${hash.digest("base64")}`;
}
