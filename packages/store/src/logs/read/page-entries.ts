import { compareKeys, type LineKey, type LogEntry } from "@tailrace/core";
import type pg from "pg";
import { listGaps } from "../gaps/list-gaps.ts";
import { readLines } from "./read-lines.ts";
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

/** An entry with its place; a gap stands before the line of its seq. */
interface KeyedEntry extends LineKey {
  entry: LogEntry;
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
  const entries: KeyedEntry[] = [];
  let bytes = 0;
  for (const part of parts) {
    const gaps = await listGaps(client, part.stream, part);
    const context = new Set(part.context);
    const shown = new Set([...part.matches, ...part.context]);
    const wanted = [...new Set([...shown, ...gaps.map((gap) => gap.seq)])].filter((seq) => seq < part.stream.lines);
    const times = new Map<number, bigint>();
    await readLines(
      client,
      part.stream,
      wanted.toSorted((a, b) => a - b),
      ({ line, maximum }) => {
        times.set(line.seq, maximum);
        if (!shown.has(line.seq)) return true;
        bytes += line.bytes.length;
        if (context.has(line.seq)) line.context = true;
        entries.push({ entry: line, time: maximum, ordinal: line.ordinal, seq: line.seq });
        return bytes <= maxBytes;
      },
    );
    if (bytes > maxBytes) return null;
    // A gap stands with the line behind it; one at the end, with all that came before.
    const { ordinal, maxTime } = part.stream;
    for (const gap of gaps)
      entries.push({
        entry: { kind: "gap", ordinal, ...gap },
        time: times.get(gap.seq) ?? maxTime,
        ordinal,
        seq: gap.seq,
      });
  }
  return entries.sort(compareEntries).map(({ entry }) => entry);
}

function compareEntries(a: KeyedEntry, b: KeyedEntry): number {
  const byKey = compareKeys(a, b);
  return byKey === 0 ? (a.entry.kind === "gap" ? 0 : 1) - (b.entry.kind === "gap" ? 0 : 1) : byKey;
}
