/** The level of a log line, as k6 writes it (logrus). `null` is no level: a line that is not a log entry. */
export type LogLevel = "trace" | "debug" | "info" | "warning" | "error" | "fatal";

/** The levels with their bits in a chunk's bitmap, the least severe first. */
export const LEVEL_BITS = { trace: 1, debug: 2, info: 4, warning: 8, error: 16, fatal: 32 } as const satisfies Record<
  LogLevel,
  number
>;

/** The bit of lines without a level. */
export const NO_LEVEL_BIT = 64;

export const LOG_LEVELS = Object.keys(LEVEL_BITS) as LogLevel[];

export function levelOfBit(bit: number): LogLevel | null {
  return LOG_LEVELS.find((level) => LEVEL_BITS[level] === bit) ?? null;
}

const LEVE = word("leve");
const L_QUOTE = word('l":"');
const QUOTE_LEVE = word('"lev');

/** How far into a line a level is looked for where it is not at the place that k6 gives it. */
const SEARCHED_BYTES = 256;

/**
 * The bit of one line's level. k6 begins its lines with `time="2026-11-23T16:22:29Z" level=info` or, with
 * `K6_LOG_FORMAT=json`, with `{"level":"info"`; other places within the first 256 bytes are found too.
 *
 * @param view - over the same bytes
 */
export function levelBit(view: DataView, bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 36) {
    // The place after a time in UTC.
    if (view.getInt32(start + 28) === LEVE && bytes[start + 33] === 0x3d) return bitOfInitial(bytes[start + 34]!);
    if (view.getInt32(start + 1) === QUOTE_LEVE && view.getInt32(start + 6) === L_QUOTE)
      return bitOfInitial(bytes[start + 10]!);
  }
  return searchLevel(view, start, Math.min(end, start + SEARCHED_BYTES), bytes);
}

function searchLevel(view: DataView, start: number, end: number, bytes: Uint8Array): number {
  for (let at = start, last = end - 8; at < last; at += 1) {
    if (bytes[at] !== 0x6c || view.getInt32(at) !== LEVE || bytes[at + 4] !== 0x6c) continue;
    if (bytes[at + 5] === 0x3d) return bitOfInitial(bytes[at + 6]!);
    if (bytes[at + 5] === 0x22 && bytes[at + 6] === 0x3a && bytes[at + 7] === 0x22) return bitOfInitial(bytes[at + 8]!);
  }
  return NO_LEVEL_BIT;
}

function bitOfInitial(initial: number): number {
  switch (initial) {
    case 0x74:
      return LEVEL_BITS.trace;
    case 0x64:
      return LEVEL_BITS.debug;
    case 0x69:
      return LEVEL_BITS.info;
    case 0x77:
      return LEVEL_BITS.warning;
    case 0x65:
      return LEVEL_BITS.error;
    case 0x66:
    case 0x70:
      return LEVEL_BITS.fatal;
    default:
      return NO_LEVEL_BIT;
  }
}

function word(text: string): number {
  return new DataView(new TextEncoder().encode(text).buffer).getInt32(0);
}
