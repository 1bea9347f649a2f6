import type { Gap, LogEntry } from "@tailrace/core";
import type pg from "pg";
import { listGaps } from "../gaps/list-gaps.ts";
import { inOrder, keyedGap, type KeyedEntry } from "./keyed-entry.ts";
import { readLines, type WantedLines } from "./read-lines.ts";
import type { LiveStream } from "./live-streams.ts";

/** What a page shows of one stream. */
export interface PagePart {
  stream: LiveStream;
  /** Its gaps before the lines from this seq on … */
  from: number;
  /** … to the one before this are shown too. */
  until: number;
  matches: readonly number[];
  context: readonly number[];
}

/**
 * The lines and gaps of a page in their order.
 *
 * @param maxBytes - of all lines together
 * @returns null when they are more
 */
export async function readEntries(
  client: pg.ClientBase,
  parts: readonly PagePart[],
  maxBytes: number,
): Promise<LogEntry[] | null> {
  const shown: Shown[] = [];
  for (const part of parts) shown.push(await whatIsShown(client, part));
  const byOrdinal = new Map(shown.map((each) => [each.stream.ordinal, each]));
  const entries: KeyedEntry[] = [];
  let bytes = 0;
  await readLines(client, shown, ({ line, maximum: time }) => {
    const { ordinal, seq } = line;
    const { lines, context, times } = byOrdinal.get(ordinal)!;
    times.set(seq, time);
    if (!lines.has(seq)) return true;
    bytes += line.bytes.length;
    line.context = context.has(seq);
    entries.push({ entry: line, time, ordinal, seq });
    return bytes <= maxBytes;
  });
  if (bytes > maxBytes) return null;
  for (const { stream, gaps, times } of shown)
    for (const gap of gaps) entries.push(keyedGap(stream, gap, times.get(gap.seq)));
  return inOrder(entries);
}

/** What is read of one stream, and of that what is shown. */
interface Shown extends WantedLines {
  gaps: readonly Gap[];
  lines: ReadonlySet<number>;
  context: ReadonlySet<number>;
  /** Of the lines that were read. */
  times: Map<number, bigint>;
}

/** The lines behind gaps are read too, for their times. */
async function whatIsShown(client: pg.ClientBase, { stream, from, until, ...part }: PagePart): Promise<Shown> {
  const gaps = stream.gaps === 0 ? [] : await listGaps(client, stream, { from, until });
  const lines = new Set([...part.matches, ...part.context]);
  const seqs = [...new Set([...lines, ...gaps.map(({ seq }) => seq)])].filter((seq) => seq < stream.lines);
  return {
    stream,
    gaps,
    lines,
    context: new Set(part.context),
    seqs: seqs.toSorted((a, b) => a - b),
    times: new Map(),
  };
}
