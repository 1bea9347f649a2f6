import { concat, equal, show } from "./bytes.ts";
import type { StoredLine } from "./decode.ts";
import type { Entry } from "./entry.ts";

const MAX_LINE_BYTES = 1024 * 1024;

/** A line as the container wrote it. */
interface Line {
  stderr: boolean;
  time: bigint;
  bytes: Uint8Array;
  finished: boolean;
  /** Its last entry. */
  end: number;
}

export interface NodeResult {
  lines: readonly StoredLine[];
  /** With the files that were in the folder when the line behind the gap was stored. */
  gaps: readonly { seq: number; files: readonly number[]; certain: boolean }[];
}

/** What was written. */
export interface NodeTruth {
  entries: readonly Entry[];
  /** The number of the first entry of each file. */
  fileStarts: readonly number[];
  rotatedBeforeStart: boolean;
}

export interface NodeFigures {
  lostEntries: number;
  emptyGaps: number;
}

/** Every line, with what makes it up, in the order in which they were finished, of what a reader sees that begins at an entry. */
export function linesFrom(entries: readonly Entry[], from: number): Line[] {
  const lines: Line[] = [];
  const open: [Entry[], Entry[]] = [[], []];
  const close = (std: 0 | 1, finished: boolean, end: number): void => {
    const parts = open[std];
    lines.push({
      stderr: std === 1,
      time: parts[0]!.time,
      bytes: concat(parts.map(({ text }) => text)),
      finished,
      end,
    });
    open[std] = [];
  };
  for (let at = from; at < entries.length; at += 1) {
    const entry = entries[at]!;
    const std = entry.stderr ? 1 : 0;
    open[std].push(entry);
    if (!entry.partial) close(std, true, at);
  }
  for (const std of [0, 1] as const) if (open[std].length > 0) close(std, false, entries.length);
  return lines;
}

/** Puts the parts of lines together that are longer than may be; the last part's place counts. */
function whole(lines: readonly StoredLine[], gaps: ReadonlySet<number>): StoredLine[] {
  const joined: StoredLine[] = [];
  const open: [StoredLine | null, StoredLine | null] = [null, null];
  for (const line of lines) {
    if (gaps.has(line.seq)) open[0] = open[1] = null;
    const std = line.stderr ? 1 : 0;
    const before = open[std];
    if (before !== null && before.time !== line.time)
      throw new Error(`line ${line.seq} has another time than its front`);
    const { seq, time, stderr, unfinished, note } = line;
    const bytes = before === null ? line.bytes : concat([before.bytes, line.bytes]);
    const part = { seq, time, stderr, unfinished, note, bytes };
    if (unfinished && line.bytes.length === MAX_LINE_BYTES) open[std] = part;
    else {
      open[std] = null;
      joined.push(part);
    }
  }
  return joined;
}

/**
 * Holds a stream that was read from the node's files against everything that was written: no line lost, doubled, changed
 * or moved, but where files were removed before they were read, and then behind a gap.
 *
 * @throws Error
 */
export function checkNodeStream({ lines, gaps }: NodeResult, truth: NodeTruth): NodeFigures {
  const { entries, fileStarts } = truth;
  const figures = { lostEntries: 0, emptyGaps: 0 };
  const stored = whole(lines, new Set(gaps.map(({ seq }) => seq)));
  const seqs = gaps.map(({ seq }) => seq);
  const segments = [0, ...seqs].map((seq, index) =>
    stored.filter((line) => line.seq >= seq && line.seq < (seqs[index] ?? Infinity)),
  );
  let at = 0;
  let open = false;
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    const begin = fileStarts.filter((start) => start >= at).find((start) => fits(segment, entries, start, last));
    if (begin === undefined && !(index === 0 && fits(segment, entries, 0, last)))
      throw mismatch(segment, entries, at, index);
    const start = begin ?? 0;
    if (index === 0 && start > 0 && !truth.rotatedBeforeStart)
      throw new Error("its beginning is lost, and nobody said so");
    if (index > 0) checkGap(gaps[index - 1]!, entries.slice(at, start), open);
    if (index > 0 && start === at) figures.emptyGaps += 1;
    figures.lostEntries += start - at;
    at = endOf(segment, entries, start, last);
    open = [true, false].some(
      (stderr) => entries.slice(start, at).findLast((entry) => entry.stderr === stderr)?.partial,
    );
  }
  return figures;
}

/** True when the lines are those that a reader finds from the file's beginning on; all of them, where nothing follows. */
function fits(segment: readonly StoredLine[], entries: readonly Entry[], start: number, last: boolean): boolean {
  const expected = linesFrom(entries, start);
  if (last ? segment.length !== expected.length : segment.length > expected.length) return false;
  return segment.every((line, index) => is(line, expected[index]!));
}

function endOf(segment: readonly StoredLine[], entries: readonly Entry[], start: number, last: boolean): number {
  if (last) return entries.length;
  return segment.length === 0 ? start : linesFrom(entries, start)[segment.length - 1]!.end + 1;
}

/** What is missing was in files that were gone. */
function checkGap({ seq, files, certain }: NodeResult["gaps"][number], missing: readonly Entry[], open: boolean): void {
  const kept = missing.find(({ file }) => files.includes(file));
  if (kept !== undefined) throw new Error(`the gap at ${seq} leaves out file ${kept.file}, which was there`);
  if (certain && missing.length === 0 && !open)
    throw new Error(`nothing is missing at the gap at ${seq}, and it is certain`);
}

function is(line: StoredLine, { stderr, time, bytes, finished }: Line): boolean {
  return line.stderr === stderr && line.time === time && line.unfinished === !finished && equal(line.bytes, bytes);
}

function mismatch(segment: readonly StoredLine[], entries: readonly Entry[], at: number, index: number): Error {
  const expected = linesFrom(entries, at);
  const wrong = segment.findIndex((line, place) => expected[place] === undefined || !is(line, expected[place]));
  const line = segment[wrong === -1 ? segment.length : wrong];
  const found = line === undefined ? "nothing" : `line ${line.seq} ${line.time} ${show(line.bytes)}`;
  const should = expected[wrong === -1 ? segment.length : wrong];
  const wanted = should === undefined ? "nothing" : `${should.time} ${show(should.bytes)}`;
  return new Error(`part ${index} fits no file from entry ${at} on: ${found}, where ${wanted} might be`);
}
