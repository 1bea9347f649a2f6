import { freeLarge, type BufferPool } from "@tailrace/core";

/** The sizes in which memory is lent: what a quiet stream needs, up to a full chunk with its times and a long last line. */
const SIZES = [16, 64, 256, 1400, 2600].map((kib) => kib * 1024);

/** How much free memory of each size is kept: of full chunks, what a drain has under way at once. */
const keptBytes = (size: number): number => (size > 1024 * 1024 ? 12 : 4) * 1024 * 1024;

/** Lends memory for chunks. What is larger than the largest size is not kept, nor is what came from elsewhere. */
export class ChunkBuffers implements BufferPool {
  readonly #free = new Map<number, ArrayBuffer[]>(SIZES.map((size) => [size, []]));

  acquire(size: number): Uint8Array<ArrayBuffer> {
    const fitting = SIZES.find((candidate) => candidate >= size);
    const free = fitting === undefined ? undefined : this.#free.get(fitting)!.pop();
    return new Uint8Array(free ?? new ArrayBuffer(fitting ?? size));
  }

  release(buffer: ArrayBufferLike): void {
    const free = this.#free.get(buffer.byteLength);
    if (free !== undefined && (free.length + 1) * buffer.byteLength <= keptBytes(buffer.byteLength))
      free.push(buffer as ArrayBuffer);
    else freeLarge(buffer);
  }
}
