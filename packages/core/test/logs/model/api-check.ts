import { concat, equal, show } from "./bytes.ts";
import type { StoredLine } from "./decode.ts";
import type { Entry } from "./entry.ts";

const MAX_LINE_BYTES = 1024 * 1024;

/** A line as the log API gives it. */
interface ApiLine {
  /** Of its first part, in the store. */
  seq: number;
  time: bigint;
  bytes: Uint8Array;
  unfinished: boolean;
}

export interface ApiResult {
  lines: readonly StoredLine[];
  /** The seqs of lines that are behind gaps; the number of all lines for one at the end. */
  gaps: ReadonlySet<number>;
}

/** What was in the log, and what of it can be read. */
export interface ApiTruth {
  entries: readonly Entry[];
  /** The number of the first entry of each file. */
  fileStarts: readonly number[];
  /** The first entry of the file that was read first. */
  begin: number;
}

/** What became of a stream beside its being right. */
export interface ApiFigures {
  lostEntries: number;
  /** Gaps at which nothing is missing. */
  emptyGaps: number;
  /** Ends of known lines that stand behind a gap once more. */
  restsBehindGaps: number;
}

/** Puts lines that were unglued, and parts of very long ones, together again as the API gave them. */
function apiLines({ lines, gaps }: ApiResult): ApiLine[] {
  const given: ApiLine[] = [];
  for (const [index, line] of lines.entries()) {
    const { seq, time, bytes, unfinished, note } = line;
    const before = given.at(-1);
    if (note !== null) {
      if (gaps.has(seq) || before === undefined) throw new Error(`line ${seq} has a note, and no line before it`);
      before.time = time;
      before.bytes = concat([bytes.subarray(0, note.head), lines[index - 1]!.bytes]);
      given.push({ seq, time: time + note.delay, bytes: bytes.subarray(note.head), unfinished });
    } else if (
      before?.unfinished === true &&
      before.time === time &&
      before.bytes.length % MAX_LINE_BYTES === 0 &&
      !gaps.has(seq)
    ) {
      before.bytes = concat([before.bytes, bytes]);
      before.unfinished = unfinished;
    } else given.push({ seq, time, bytes, unfinished });
  }
  return given;
}

/**
 * Holds a stream against everything that was written: no line lost, doubled, changed or moved outside of gaps, and each
 * gap at the beginning of a file, with nothing behind it that was there before it.
 *
 * @throws Error
 */
export function checkApiStream(result: ApiResult, { entries, fileStarts, begin }: ApiTruth): ApiFigures {
  const figures = { lostEntries: 0, emptyGaps: 0, restsBehindGaps: 0 };
  const given = apiLines(result);
  let at = begin;
  for (const [index, line] of given.entries()) {
    const next = given[index + 1];
    const gapBehind = result.gaps.has(next?.seq ?? result.lines.length);
    if (result.gaps.has(line.seq)) at = behindGap(line, entries, fileStarts, at, figures);
    const expected = lineFrom(entries, at);
    if (expected !== null && is(line, expected)) at = expected.end;
    else if (gapBehind && expected !== null && isFront(line, expected)) at = expected.end;
    else throw new Error(`line ${line.seq} is ${describe(line)}, where entry ${at} should be ${describe(expected)}`);
  }
  if (result.gaps.has(result.lines.length)) {
    const lastFile = fileStarts.length - 1;
    if (lastFile === 0 || at > fileStarts[lastFile]!) throw new Error("a gap at the end, where the last file goes on");
    figures.lostEntries += entries.length - at;
  } else if (at !== entries.length) throw new Error(`it ends before entry ${at} of ${entries.length}`);
  return figures;
}

/** The file that is read on from behind the gap. */
function behindGap(
  line: ApiLine,
  entries: readonly Entry[],
  fileStarts: readonly number[],
  at: number,
  figures: ApiFigures,
): number {
  for (const start of fileStarts) {
    if (start < at) continue;
    const expected = lineFrom(entries, start);
    if (expected === null || !(is(line, expected) || isFront(line, expected))) continue;
    if (start === at) figures.emptyGaps += 1;
    figures.lostEntries += start - at;
    return start;
  }
  // The file begins inside the last known line.
  const inside = fileStarts.find(
    (start) => start > 0 && start < at && entries.slice(start - 1, at - 1).every(({ partial }) => partial),
  );
  const rest = inside === undefined ? null : lineFrom(entries, inside);
  if (rest === null || rest.end !== at || !is(line, rest))
    throw new Error(`behind a gap, line ${line.seq} (${describe(line)}) begins no file that is new`);
  figures.restsBehindGaps += 1;
  return inside!;
}

/** The line that a reader gives which comes to this entry: everything up to the next newline, of either standard stream. */
function lineFrom(
  entries: readonly Entry[],
  at: number,
): { time: bigint; bytes: Uint8Array; finished: boolean; end: number } | null {
  const first = entries[at];
  if (first === undefined) return null;
  const last = entries.findIndex(({ partial }, index) => index >= at && !partial);
  const end = last === -1 ? entries.length : last + 1;
  return {
    time: first.time,
    bytes: concat(entries.slice(at, end).map(({ text }) => text)),
    finished: last !== -1,
    end,
  };
}

type Expected = NonNullable<ReturnType<typeof lineFrom>>;

function is(line: ApiLine, expected: Expected): boolean {
  return line.time === expected.time && line.unfinished === !expected.finished && equal(line.bytes, expected.bytes);
}

/** Of a line longer than may be, the front parts came before the gap. */
function isFront(line: ApiLine, expected: Expected): boolean {
  const { length } = line.bytes;
  return (
    line.unfinished &&
    length % MAX_LINE_BYTES === 0 &&
    line.time === expected.time &&
    equal(line.bytes, expected.bytes.subarray(0, length))
  );
}

function describe(line: { time: bigint; bytes: Uint8Array } | null): string {
  return line === null ? "nothing" : `${line.time} ${show(line.bytes)}`;
}
