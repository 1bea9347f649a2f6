/** A second as the 20 bytes `YYYY-MM-DDThh:mm:ss.`, four in each word, the first one the least. */
export interface Second {
  word0: number;
  word1: number;
  word2: number;
  word3: number;
  /** Its last byte is what follows the second, which may be no point. */
  word4: number;
  /** Since the epoch, read as UTC. */
  seconds: number;
}

/**
 * Reads the time at the head of an entry: RFC 3339 with up to nine fraction digits and `Z` or an offset. The last date and
 * time of day are remembered, since lines of the same second follow one another. Fields instead of a result, so that
 * reading allocates nothing.
 */
export class StampReader {
  seconds = 0;
  nanos = 0;
  /** The offset behind the time. */
  end = 0;
  /** That of the last time, without its offset from UTC. */
  readonly second: Second = { word0: 0, word1: 0, word2: 0, word3: 0, word4: 0, seconds: 0 };

  /** @returns false where there is no time at `start` */
  read(view: DataView, start: number, end: number): boolean {
    if (end - start < 20) return false;
    const { second } = this;
    const same =
      view.getInt32(start, true) === second.word0 &&
      view.getInt32(start + 4, true) === second.word1 &&
      view.getInt32(start + 8, true) === second.word2 &&
      view.getInt32(start + 12, true) === second.word3 &&
      view.getInt32(start + 16, true) === second.word4;
    if (!same && !this.#readSecond(view, start)) return false;
    this.seconds = second.seconds;
    this.nanos = 0;
    let at = start + 19;
    if (view.getUint8(at) === 0x2e) {
      at = this.#readFraction(view, at + 1, end);
      if (at === -1) return false;
    }
    return this.#readOffset(view, at, end);
  }

  #readFraction(view: DataView, start: number, end: number): number {
    let value = 0;
    let at = start;
    for (; at < end; at += 1) {
      const digit = view.getUint8(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const digits = at - start;
    if (digits < 1 || digits > 9) return -1;
    this.nanos = value * POWERS[9 - digits]!;
    return at;
  }

  #readOffset(view: DataView, at: number, end: number): boolean {
    if (at >= end) return false;
    const sign = view.getUint8(at);
    if (sign === 0x5a) {
      this.end = at + 1;
      return true;
    }
    if ((sign !== 0x2b && sign !== 0x2d) || at + 6 > end || view.getUint8(at + 3) !== 0x3a) return false;
    const hours = twoDigits(view, at + 1);
    const minutes = twoDigits(view, at + 4);
    if (hours === -1 || minutes === -1) return false;
    const offset = hours * 3600 + minutes * 60;
    this.seconds -= sign === 0x2b ? offset : -offset;
    this.end = at + 6;
    return true;
  }

  #readSecond(view: DataView, start: number): boolean {
    for (let at = 0; at < 19; at += 1) {
      const byte = view.getUint8(start + at);
      const expected = SEPARATORS[at]!;
      if (expected === 0 ? byte < 0x30 || byte > 0x39 : byte !== expected) return false;
    }
    const two = (at: number): number => twoDigits(view, start + at);
    const ms = Date.UTC(two(0) * 100 + two(2), two(5) - 1, two(8), two(11), two(14), two(17));
    if (two(5) < 1 || two(5) > 12 || two(8) < 1 || two(8) > 31 || two(11) > 23 || two(14) > 59 || two(17) > 60)
      return false;
    const { second } = this;
    second.seconds = ms / 1000;
    second.word0 = view.getInt32(start, true);
    second.word1 = view.getInt32(start + 4, true);
    second.word2 = view.getInt32(start + 8, true);
    second.word3 = view.getInt32(start + 12, true);
    second.word4 = view.getInt32(start + 16, true);
    return true;
  }
}

const POWERS = Array.from({ length: 10 }, (_, exponent) => 10 ** exponent);

/** The bytes between the digits of `YYYY-MM-DDThh:mm:ss`; 0 where a digit is. */
const SEPARATORS = Uint8Array.from("0000-00-00T00:00:00", (char) => (char === "0" ? 0 : char.charCodeAt(0)) as never);

function twoDigits(view: DataView, at: number): number {
  const tens = view.getUint8(at) - 0x30;
  const ones = view.getUint8(at + 1) - 0x30;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}
