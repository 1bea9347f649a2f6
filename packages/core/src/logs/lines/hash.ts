/**
 * A 64-bit hash of bytes, in two halves that are kept in the object so that hashing allocates nothing. It tells lines of
 * one stream apart where both are already known to have the same time; it is no defence against somebody who wants a
 * collision. Two lanes in the way of MurmurHash3's x86 variant, with different constants.
 */
export class Hash64 {
  high = 0;
  low = 0;

  /** @param view - over the bytes to hash; the range is in bytes of the view */
  update(view: DataView, start: number, end: number): this {
    let a = 0x9747b28c ^ (end - start);
    let b = 0x85ebca6b;
    let at = start;
    for (const last = end - 3; at < last; at += 4) {
      const word = view.getInt32(at, true);
      a = Math.imul(a ^ Math.imul(word, 0xcc9e2d51), 0x1b873593);
      a = (a << 13) | (a >>> 19);
      b = Math.imul(b ^ word, 0x9e3779b1);
      b = ((b << 15) | (b >>> 17)) + a;
    }
    let rest = 0;
    for (let shift = 0; at < end; at += 1, shift += 8) rest |= view.getUint8(at) << shift;
    a = Math.imul(a ^ Math.imul(rest, 0xcc9e2d51), 0x1b873593);
    b = Math.imul(b ^ rest, 0x9e3779b1);
    this.high = finish(a ^ b);
    this.low = finish(b + Math.imul(a, 0x27d4eb2f));
    return this;
  }

  /** 16 hexadecimal digits. */
  hex(): string {
    return (this.high >>> 0).toString(16).padStart(8, "0") + (this.low >>> 0).toString(16).padStart(8, "0");
  }
}

function finish(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
