import { fromNanos, toNanos, type Instant } from "../lines/instant.ts";

/** The greatest time that a stream has had up to a line. */
export class RunningMaximum {
  #seconds: number;
  #nanos: number;
  /** Null after a change, until somebody asks for it. */
  #time: bigint | null = null;

  /** @param priorTime - before the first line, see core's `ChunkMeta` */
  constructor(priorTime: bigint) {
    const { seconds, nanos } = fromNanos(priorTime);
    this.#seconds = seconds;
    this.#nanos = nanos;
  }

  /** Takes the next line's time. */
  update({ seconds, nanos }: Instant): void {
    if (seconds < this.#seconds || (seconds === this.#seconds && nanos <= this.#nanos)) return;
    this.#seconds = seconds;
    this.#nanos = nanos;
    this.#time = null;
  }

  /** Nanoseconds since the epoch. */
  get time(): bigint {
    return (this.#time ??= toNanos(this.#seconds, this.#nanos));
  }

  /** True when it is not below another moment. */
  reaches({ seconds, nanos }: Instant): boolean {
    return this.#seconds > seconds || (this.#seconds === seconds && this.#nanos >= nanos);
  }

  /** Milliseconds since the epoch, with a fraction. */
  get milliseconds(): number {
    return this.#seconds * 1000 + this.#nanos / 1_000_000;
  }
}
