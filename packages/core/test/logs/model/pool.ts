import type { BufferPool } from "../../../src/index.ts";

/** Lends memory full of garbage, and spoils what is given back. */
export class GarbagePool implements BufferPool {
  readonly #lent = new Set<ArrayBufferLike>();

  acquire(size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size + (size % 7)).fill(0x0a);
    this.#lent.add(bytes.buffer);
    return bytes;
  }

  release(buffer: ArrayBufferLike): void {
    if (!this.#lent.delete(buffer)) throw new Error("memory is given back that was not lent");
    new Uint8Array(buffer).fill(0xee);
  }
}
