import type { Random } from "./random.ts";

/** What an answer of the log API may be instead of the whole log. */
export type ApiFault =
  | "none"
  | "empty"
  /** There is no answer. */
  | "refused"
  /** The kubelet says something, and there is no log. */
  | "kubelet_alone"
  /** The kubelet says something behind an entry, and the answer ends. */
  | "kubelet_at_end"
  | "cut";

/** Under a 200 that was already sent, without a newline (kubelet, server.go). */
const KUBELET_WORDS = [
  "unable to retrieve container logs for containerd://5d0c",
  'failed to read log file "/var/log/pods/0.log": input/output error',
  "rpc error: code = Unavailable desc = error reading from server: EOF",
];

/** Decides what goes wrong, a limited number of times. */
export class ApiFaults {
  readonly #random: Random;
  #left: number;

  constructor(random: Random, left: number) {
    this.#random = random;
    this.#left = left;
  }

  /** False once everything has gone wrong that was to. */
  get left(): boolean {
    return this.#left > 0;
  }

  next(final: boolean): ApiFault {
    if (!this.left || this.#random.chance(0.3)) return "none";
    this.#left -= 1;
    // A final reading that breaks off is known to have broken off.
    if (final) return this.#random.pick(["cut", "kubelet_alone", "kubelet_at_end"]);
    return this.#random.pick(["cut", "cut", "cut", "empty", "refused", "kubelet_alone", "kubelet_at_end"]);
  }

  get words(): string {
    return this.#random.pick(KUBELET_WORDS);
  }

  /** Behind a line, within a line's time, or anywhere. */
  cutAt(bytes: Uint8Array): number {
    const random = this.#random;
    const newline = bytes.indexOf(0x0a, random.below(bytes.length));
    const where = random.below(3);
    if (newline === -1 || where === 0) return random.below(bytes.length + 1);
    return Math.min(bytes.length, newline + 1 + (where === 1 ? 0 : random.between(1, 29)));
  }
}
