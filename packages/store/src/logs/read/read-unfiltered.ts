import { dividingTime, type LineKey, type LogEntry, type LogLine } from "@tailrace/core";
import type pg from "pg";
import { listGaps } from "../gaps/list-gaps.ts";
import type { ChunkCache } from "./chunk-cache.ts";
import { ChunkOrder, type Direction, type LoadPlaces } from "./chunk-order.ts";
import { inOrder, keyedGap, type KeyedEntry } from "./keyed-entry.ts";
import { mergeLines } from "./merge-lines.ts";
import type { Window } from "./windows.ts";

export interface UnfilteredQuery {
  direction: Direction;
  limits: { lines: number; bytes: number };
}

export interface UnfilteredDeps {
  load: LoadPlaces;
  chunks: ChunkCache;
  signal: AbortSignal;
}

/** The part of a page's windows that has so many lines, and everything in it. */
export interface UnfilteredPage {
  parts: Window[];
  entries: LogEntry[];
  /** True when there would have been room for more lines, but not for their bytes. */
  cut: boolean;
}

/** A page that every line may be on: nothing has to be looked for. */
export async function readUnfiltered(
  client: pg.ClientBase,
  windows: readonly Window[],
  { direction, limits }: UnfilteredQuery,
  { load, chunks, signal }: UnfilteredDeps,
): Promise<UnfilteredPage> {
  const order = await ChunkOrder.open(windows, direction, load);
  const { lines, maxima, next, cut } = await mergeLines(order, {
    direction,
    limits,
    open: (wanted) => chunks.open(client, wanted),
    signal,
  });
  const last = lines.length - 1;
  const earliest =
    direction === "backward" && next.size > 0 && last >= 0 ? { ...lines[last]!, time: maxima[last]! } : null;
  const parts = windows.map((window) => {
    const seq = next.get(window.stream.ordinal);
    if (earliest !== null && isBefore(window, earliest)) return { ...window, from: window.until };
    if (seq === undefined) return window;
    return direction === "forward" ? { ...window, until: seq } : { ...window, from: seq + 1 };
  });
  if (direction === "backward") {
    lines.reverse();
    maxima.reverse();
  }
  return { parts, entries: await withGaps(client, parts, lines, maxima), cut };
}

/** True where all of a stream comes before a line, also a gap behind its last one. */
function isBefore({ stream }: Window, line: LineKey): boolean {
  return stream.maxTime < dividingTime(line, stream.ordinal);
}

async function withGaps(
  client: pg.ClientBase,
  parts: readonly Window[],
  lines: LogLine[],
  maxima: readonly bigint[],
): Promise<LogEntry[]> {
  const gaps: KeyedEntry[] = [];
  for (const { stream, from, until } of parts) {
    if (stream.gaps === 0) continue;
    for (const gap of await listGaps(client, stream, { from, until })) {
      const behind = lines.findIndex(({ ordinal, seq }) => ordinal === stream.ordinal && seq === gap.seq);
      gaps.push(keyedGap(stream, gap, maxima[behind]));
    }
  }
  // The lines are in order already.
  if (gaps.length === 0) return lines;
  const keyed = lines.map((entry, index): KeyedEntry => {
    const { ordinal, seq } = entry;
    return { entry, time: maxima[index]!, ordinal, seq };
  });
  return inOrder([...gaps, ...keyed]);
}
