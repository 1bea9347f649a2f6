import type { StreamRef } from "@tailrace/core";
import type { Gate } from "../supervisor/gate.ts";
import { compact, LARGE_BYTES, type CompactDeps } from "./compact.ts";

/** Small chunks are joined when there are so many of them, or so many bytes. */
const MAX_CHUNKS = 256;
const MAX_BYTES = 1024 * 1024;

/** Joins the small chunks that a followed stream leaves behind, from time to time, so that a long run stays quick to read. */
export class TailCompaction {
  readonly #stream: StreamRef;
  readonly #fence: number;
  readonly #deps: CompactDeps;
  readonly #gate: Gate;
  readonly #onFailure: (error: unknown) => void;
  #fromSeq: number;
  #chunks = 0;
  #bytes = 0;
  #running: Promise<void> | null = null;

  /**
   * @param fromSeq - where small chunks may begin
   * @param gate - lets few streams do this at once
   * @param onFailure - told of what went wrong; it is tried again with the next chunks
   */
  constructor(
    { stream, fence, fromSeq }: { stream: StreamRef; fence: number; fromSeq: number },
    deps: CompactDeps,
    gate: Gate,
    onFailure: (error: unknown) => void,
  ) {
    this.#stream = stream;
    this.#fence = fence;
    this.#fromSeq = fromSeq;
    this.#deps = deps;
    this.#gate = gate;
    this.#onFailure = onFailure;
  }

  /** A chunk with these lines, and so many bytes of them, was stored. */
  stored(chunk: { fromSeq: number; untilSeq: number; lineBytes: number }): void {
    if (chunk.lineBytes >= LARGE_BYTES) {
      this.#join(chunk.fromSeq);
      if (this.#running === null) this.#fromSeq = chunk.untilSeq;
      return;
    }
    this.#chunks += 1;
    this.#bytes += chunk.lineBytes;
    if (this.#chunks >= MAX_CHUNKS || this.#bytes >= MAX_BYTES) this.#join(chunk.untilSeq);
  }

  /** Resolves when nothing is being joined. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #join(untilSeq: number): void {
    if (this.#chunks < 2 || this.#running !== null) return;
    const range = { fromSeq: this.#fromSeq, untilSeq };
    this.#chunks = 0;
    this.#bytes = 0;
    this.#running = this.#gate
      .run(() => compact(this.#stream, this.#fence, range, this.#deps))
      .then(() => void (this.#fromSeq = untilSeq), this.#onFailure)
      .finally(() => (this.#running = null));
  }
}
