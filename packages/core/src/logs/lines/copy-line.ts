const LOW_BITS = 0x01010101;
const HIGH_BITS = -0x7f7f7f80;
const NEWLINES = 0x0a0a0a0a;

/**
 * Copies bytes up to the next newline, eight at a time: a word that has a newline has a zero byte after XOR, which the
 * usual bit trick finds. It may write up to seven bytes behind what it copies.
 *
 * @returns how many bytes stand before the newline, or -1 when there is none before `end`
 */
export function copyLine(from: DataView, start: number, end: number, to: DataView, target: number): number {
  let at = start;
  const shift = target - start;
  for (const last = end - 7; at < last; at += 8) {
    const first = from.getInt32(at, true);
    const second = from.getInt32(at + 4, true);
    to.setInt32(at + shift, first, true);
    to.setInt32(at + shift + 4, second, true);
    const a = first ^ NEWLINES;
    const b = second ^ NEWLINES;
    const found = (a - LOW_BITS) & ~a & HIGH_BITS;
    if (found !== 0) return at - start + firstByte(found);
    const foundLater = (b - LOW_BITS) & ~b & HIGH_BITS;
    if (foundLater !== 0) return at - start + 4 + firstByte(foundLater);
  }
  for (; at < end; at += 1) {
    const byte = from.getUint8(at);
    if (byte === 0x0a) return at - start;
    to.setUint8(at + shift, byte);
  }
  return -1;
}

/** The lowest byte in which a bit is set. */
function firstByte(bits: number): number {
  return (31 - Math.clz32(bits & -bits)) >> 3;
}
