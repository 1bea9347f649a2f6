import { createHash } from "node:crypto";
import type { LogPlace, LogStream } from "@tailrace/core";

/** The longest cursor, in characters. It has room for the seqs of about 240 streams that are all being read at once. */
export const MAX_CURSOR_LENGTH = 1000;

const VERSION = 1;
const TAG_BYTES = 4;

/** What a cursor is read and written with. */
export interface CursorRun {
  runId: string;
  /** All streams of the run, in the order of their ordinals. */
  streams: readonly Pick<LogStream, "lines" | "sealed">[];
}

/** How far behind its last line a sealed stream can stand: before and behind a gap, and behind the note of its truncation. */
const ENDS = 3;

/**
 * A place as text: base64url of a version, four bytes of the run's hash, and varints. An even one is twice the next seq of
 * the next stream. An odd one stands for several streams: after its last bit, two bits say where they are (0: at their
 * beginning; 1 to 3: sealed ones at `lines` and up to two more), and the rest how many. Streams that are not named are at
 * their beginning.
 *
 * @returns null when it would be longer than {@link MAX_CURSOR_LENGTH}
 */
export function encodeCursor(place: LogPlace, { runId, streams }: CursorRun): string | null {
  const bytes = [VERSION, ...runTag(runId)];
  const kinds = withoutEnd(place).map((seq, ordinal) => runKind(seq, streams[ordinal]));
  for (let ordinal = 0; ordinal < kinds.length;) {
    const kind = kinds[ordinal] ?? null;
    const end = kind === null ? ordinal + 1 : endOfRun(kinds, ordinal);
    pushVarint(bytes, kind === null ? place[ordinal]! * 2 : ((end - ordinal) * 4 + kind) * 2 + 1);
    ordinal = end;
  }
  const text = Buffer.from(bytes).toString("base64url");
  return text.length <= MAX_CURSOR_LENGTH ? text : null;
}

/** @returns null for text that {@link encodeCursor} did not make for this run */
export function decodeCursor(text: string, { runId, streams }: CursorRun): LogPlace | null {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text || text.length > MAX_CURSOR_LENGTH) return null;
  const head = Buffer.from([VERSION, ...runTag(runId)]);
  if (!bytes.subarray(0, head.length).equals(head)) return null;
  const values = readVarints(bytes.subarray(head.length));
  if (values === null) return null;
  const place: number[] = [];
  for (const value of values) {
    if (value % 2 === 0) place.push(value / 2);
    else {
      const kind = ((value - 1) / 2) % 4;
      const length = (value - 1 - kind * 2) / 8;
      // Before anything is made of that length.
      if (length < 1 || place.length + length > streams.length) return null;
      for (let left = length; left > 0; left -= 1) {
        const seq = seqOfKind(kind, streams[place.length]!);
        if (seq === null) return null;
        place.push(seq);
      }
    }
    const last = streams[place.length - 1];
    if (last === undefined || place.at(-1)! >= last.lines + (last.sealed ? ENDS : 1)) return null;
  }
  return place;
}

/** Where a kind that begins at `start` gives way to another. */
function endOfRun(kinds: readonly (number | null)[], start: number): number {
  const length = kinds.slice(start).findIndex((kind) => kind !== kinds[start]);
  return length === -1 ? kinds.length : start + length;
}

/** Null for a place that has to be named on its own. */
function runKind(seq: number, stream: CursorRun["streams"][number] | undefined): number | null {
  if (seq === 0) return 0;
  if (stream?.sealed !== true || seq < stream.lines || seq >= stream.lines + ENDS) return null;
  return seq - stream.lines + 1;
}

function seqOfKind(kind: number, { lines, sealed }: CursorRun["streams"][number]): number | null {
  if (kind === 0) return 0;
  return sealed ? lines + kind - 1 : null;
}

function withoutEnd(place: LogPlace): LogPlace {
  return place.slice(0, place.findLastIndex((seq) => seq !== 0) + 1);
}

function runTag(runId: string): Uint8Array {
  return createHash("sha256").update(runId).digest().subarray(0, TAG_BYTES);
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** @returns null where the last one has no end, or one is no safe integer */
function readVarints(bytes: Uint8Array): number[] | null {
  const values: number[] = [];
  let value = 0;
  let factor = 1;
  for (const byte of bytes) {
    value += (byte % 128) * factor;
    if (!Number.isSafeInteger(value)) return null;
    if (byte < 128) values.push(value);
    factor = byte < 128 ? 1 : factor * 128;
    value = byte < 128 ? 0 : value;
  }
  return factor === 1 ? values : null;
}
