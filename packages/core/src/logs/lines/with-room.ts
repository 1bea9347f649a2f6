/** The same memory, or, where that is too small, twice as much of it with the bytes that are in use. */
export function withRoom(memory: Uint8Array<ArrayBuffer>, used: number, needed: number): Uint8Array<ArrayBuffer> {
  if (needed <= memory.length) return memory;
  const grown = new Uint8Array(Math.max(needed, memory.length * 2));
  grown.set(memory.subarray(0, used));
  return grown;
}
