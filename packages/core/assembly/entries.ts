// Reads entries of a container's log file, as `src/logs/node/cri-parser.ts` does, sixteen bytes at a time: only those that
// nearly all are. It stops before the first one that is another, and the parser takes that.
//
// AssemblyScript; see `scripts/build-wasm.ts`. The addresses and the fields of the result are repeated in
// `src/logs/node/entry-runs.ts`.

/** Eight fields of four bytes. */
const RESULT: usize = 0;
const TIMES: usize = 1024;
/** 64 KiB; whatever lies in the sixteen bytes behind is read, and not looked at. */
const INPUT: usize = 65536;
/** As many bytes, and sixteen that are written behind the last line. */
const OUTPUT: usize = 131328;

/** What surely holds an entry's head. */
const HEAD_BYTES: usize = 64;
const STDOUT: u64 = 0x2074_756f_6474_7320; // " stdout "
const STDERR: u64 = 0x2072_7265_6474_7320; // " stderr "
const FULL: u16 = 0x2046; // "F "
const NEWLINE: u8 = 0x0a;

/**
 * Reads entries of one second, whole lines each.
 *
 * @param from - where the first one begins in the input
 * @param length - of the input
 * @param room - before an entry that would come behind so many bytes of lines it stops
 * @param previous - nanoseconds of the line before the first one, which is of the same second
 * @param w0 - with the other words the 20 bytes `YYYY-MM-DDThh:mm:ss.` of this second
 * @returns where the first entry begins that was not read
 */
export function readEntries(
  from: u32,
  length: u32,
  room: u32,
  previous: i32,
  w0: i32,
  w1: i32,
  w2: i32,
  w3: i32,
  w4: i32,
): u32 {
  const newlines = i8x16.splat(NEWLINE);
  const end = INPUT + length;
  const full = OUTPUT + room;
  let at: usize = INPUT + from;
  let last = at;
  let out = OUTPUT;
  let times = TIMES;
  let lines: u32 = 0;
  let levels: u32 = 0;
  let before = previous;
  let least = previous;
  let most = previous;
  while (at + HEAD_BYTES <= end && out < full) {
    if (load<i32>(at, 16) !== w4 || load<i32>(at, 12) !== w3 || load<i32>(at, 8) !== w2) break;
    if (load<i32>(at, 4) !== w1 || load<i32>(at) !== w0) break;
    let head = at + 20;
    let nanos: i32 = 0;
    let digits: i32 = 0;
    for (; digits < 9; digits++) {
      const digit = <u32>load<u8>(head) - 0x30;
      if (digit > 9) break;
      nanos = nanos * 10 + digit;
      head++;
    }
    if (digits === 0 || load<u8>(head) !== 0x5a) break;
    for (; digits < 9; digits++) nanos *= 10;
    const name = load<u64>(head, 1);
    if ((name !== STDOUT && name !== STDERR) || load<u16>(head, 9) !== FULL) break;
    const text = head + 11;
    let found: i32 = 0;
    let cursor = text;
    for (; cursor < end; cursor += 16) {
      const bytes = v128.load(cursor);
      v128.store(out + (cursor - text), bytes);
      found = i8x16.bitmask(i8x16.eq(bytes, newlines));
      if (found !== 0) break;
    }
    if (found === 0) break;
    const newline = cursor + ctz(found);
    if (newline >= end) break;
    const lineEnd = out + (newline - text);
    levels |= levelBit(out, lineEnd);
    const distance = <i64>nanos - before;
    const flags: u64 = name === STDERR ? 1 : 0;
    times = writeVarint(times, <u64>(distance < 0 ? -2 * distance - 1 : 2 * distance) * 4 + flags);
    before = nanos;
    if (nanos < least) least = nanos;
    if (nanos > most) most = nanos;
    lines++;
    out = lineEnd + 1;
    last = at;
    at = newline + 1;
  }
  store<u32>(RESULT, lines, 0);
  store<u32>(RESULT, <u32>(out - OUTPUT), 4);
  store<u32>(RESULT, <u32>(times - TIMES), 8);
  store<u32>(RESULT, levels, 12);
  store<i32>(RESULT, least, 16);
  store<i32>(RESULT, most, 20);
  store<i32>(RESULT, before, 24);
  store<u32>(RESULT, <u32>(last - INPUT), 28);
  return <u32>(at - INPUT);
}

/** As in `src/logs/chunk/varint.ts`. */
function writeVarint(at: usize, value: u64): usize {
  while (value > 127) {
    store<u8>(at++, <u8>(value & 127) | 128);
    value >>= 7;
  }
  store<u8>(at++, <u8>value);
  return at;
}

const LEVE: u32 = 0x6576_656c; // "leve"
const L_QUOTE: u32 = 0x223a_226c; // l":"
const QUOTE_LEV: u32 = 0x7665_6c22; // "lev
const SEARCHED_BYTES: usize = 256;
const NO_LEVEL: u32 = 64;

/** As in `src/logs/lines/level.ts`. */
function levelBit(start: usize, end: usize): u32 {
  if (end - start > 36) {
    if (load<u32>(start, 28) === LEVE && load<u8>(start, 33) === 0x3d) return bitOfInitial(load<u8>(start, 34));
    if (load<u32>(start, 1) === QUOTE_LEV && load<u32>(start, 6) === L_QUOTE) return bitOfInitial(load<u8>(start, 10));
  }
  return searchLevel(start, min(end, start + SEARCHED_BYTES));
}

function searchLevel(start: usize, end: usize): u32 {
  for (let at = start; at + 8 < end; at++) {
    if (load<u32>(at) !== LEVE || load<u8>(at, 4) !== 0x6c) continue;
    if (load<u8>(at, 5) === 0x3d) return bitOfInitial(load<u8>(at, 6));
    if (load<u8>(at, 5) === 0x22 && load<u8>(at, 6) === 0x3a && load<u8>(at, 7) === 0x22)
      return bitOfInitial(load<u8>(at, 8));
  }
  return NO_LEVEL;
}

function bitOfInitial(initial: u8): u32 {
  switch (initial) {
    case 0x74: // trace
      return 1;
    case 0x64: // debug
      return 2;
    case 0x69: // info
      return 4;
    case 0x77: // warning
      return 8;
    case 0x65: // error
      return 16;
    case 0x66: // fatal
    case 0x70: // panic
      return 32;
    default:
      return NO_LEVEL;
  }
}
