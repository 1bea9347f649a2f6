/** Keeps the last bytes of what is pushed; its memory is bounded by the limit and one chunk. */
export class TailBuffer {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #received = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#received += chunk.length;
    let drop = 0;
    while (drop < this.#chunks.length && this.#size - this.#chunks[drop]!.length >= this.#limit) {
      this.#size -= this.#chunks[drop]!.length;
      drop += 1;
    }
    if (drop > 0) this.#chunks = this.#chunks.slice(drop);
  }

  /** True when the front was left out. */
  get cut(): boolean {
    return this.#received > this.#limit;
  }

  bytes(): Buffer {
    const all = Buffer.concat(this.#chunks);
    return all.subarray(Math.max(0, all.length - this.#limit));
  }
}
