import { compareKeys, type Gap, type LineKey, type LogStream } from "@tailrace/core";
import fc from "fast-check";
import type { StoreFixture } from "../support.ts";
import { claimRun, streamsOf, T0, TestWriter, type TestLine } from "./support.ts";

/** A stream as a test wants it. */
export interface WorldStream {
  lines: TestLine[];
  linesPerChunk: number;
  /** Seqs of the lines behind gaps; one may be behind the last line. */
  gaps: number[];
  sealed: boolean;
}

/** An entry of the one order, as {@link show} writes it without context. */
export interface WorldEntry {
  key: LineKey;
  text: string;
  /** Null for a gap. */
  line: string | null;
}

const WORDS = ["alpha", "beta", "gamma", "level=error", "level=info", "ünïcode"];

/** Its time is often equal to that of the one before, and sometimes earlier. @param end - no line is later, in milliseconds */
function lineUntil(end: number): fc.Arbitrary<TestLine> {
  return fc.record({
    text: fc.array(fc.constantFrom(...WORDS), { minLength: 0, maxLength: 3 }).map((words) => words.join(" ")),
    time: fc.integer({ min: 0, max: end }).map((step) => T0 + BigInt(step) * 1_000_000n),
    flags: fc.integer({ min: 0, max: 3 }),
  });
}

/** Some end long before others do, and often in a gap. */
const stream: fc.Arbitrary<WorldStream> = fc
  .integer({ min: 0, max: 12 })
  .chain((end) => fc.array(lineUntil(end), { maxLength: 25 }))
  .chain((lines) =>
    fc.record({
      lines: fc.constant(lines),
      linesPerChunk: fc.integer({ min: 1, max: 8 }),
      gaps: fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: lines.length }), fc.constant(lines.length)), {
        maxLength: 3,
      }),
      sealed: fc.boolean(),
    }),
  );

export const world: fc.Arbitrary<WorldStream[]> = fc.array(stream, { minLength: 1, maxLength: 4 });

/** Stores a world as a run of its own. */
export async function storeWorld(fixture: StoreFixture, streams: readonly WorldStream[]): Promise<LogStream[]> {
  const { step, team, runId } = await claimRun(fixture);
  for (const [restart, { lines, linesPerChunk, gaps, sealed }] of streams.entries()) {
    const writer = await TestWriter.open(fixture, step, { restart });
    await writer.write(lines, { linesPerChunk, gaps: gaps.map(toGap) });
    if (sealed) await writer.seal({ bytes: outputBytes(lines) });
  }
  return await streamsOf(fixture, team, runId);
}

function toGap(seq: number): Gap {
  return { seq, reason: "rotated", certain: false, from: null, until: T0 };
}

function outputBytes(lines: readonly TestLine[]): number {
  return lines.reduce((sum, { text, flags = 0 }) => sum + Buffer.byteLength(text) + ((flags & 2) === 0 ? 1 : 0), 0);
}

/** Everything in a world in its order, made in the plainest way. */
export function worldEntries(streams: readonly WorldStream[]): WorldEntry[] {
  const entries = streams.flatMap(({ lines, gaps, sealed }, ordinal): WorldEntry[] => {
    let max = 0n;
    const own: WorldEntry[] = [];
    for (let seq = 0; seq <= lines.length; seq++) {
      const next = lines[seq];
      if (next !== undefined && next.time > max) max = next.time;
      const key = { time: max, ordinal, seq };
      if (gaps.includes(seq) && (next !== undefined || sealed))
        own.push({ key, text: `${ordinal}:${seq} gap rotated`, line: null });
      if (next !== undefined)
        own.push({ key, text: `${ordinal}:${seq} ${next.text.toString()}`, line: next.text.toString() });
    }
    return own;
  });
  // Stable: a gap stays before its line.
  return entries.toSorted((a, b) => compareKeys(a.key, b.key));
}

/** Of those the gaps, the matching lines, and `~` before those around one. */
export function withContext(
  entries: readonly WorldEntry[],
  matches: (line: string) => boolean,
  before: number,
  after: number,
): string[] {
  const matching = entries.filter(({ line: text }) => text !== null && matches(text)).map(({ key }) => key);
  return entries.flatMap(({ key, text, line: content }) => {
    if (content === null || matches(content)) return [text];
    const beside = matching.some(
      (match) => match.ordinal === key.ordinal && match.seq - before <= key.seq && key.seq <= match.seq + after,
    );
    return beside ? [`~${text}`] : [];
  });
}
