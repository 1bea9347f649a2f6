import { compareKeys, type Gap, type LineKey, type LogEntry } from "@tailrace/core";
import type { LiveStream } from "./live-streams.ts";

/** An entry with its place; a gap stands before the line of its seq. */
export interface KeyedEntry extends LineKey {
  entry: LogEntry;
}

/** @param time - that of the line behind it; without one it is at the end, with all that came before */
export function keyedGap({ ordinal, maxTime }: LiveStream, gap: Gap, time: bigint = maxTime): KeyedEntry {
  return { entry: { kind: "gap", ordinal, ...gap }, time, ordinal, seq: gap.seq };
}

/** Sorts the list itself. */
export function inOrder(entries: KeyedEntry[]): LogEntry[] {
  return entries.sort(compareEntries).map(({ entry }) => entry);
}

function compareEntries(a: KeyedEntry, b: KeyedEntry): number {
  const byKey = compareKeys(a, b);
  return byKey === 0 ? (a.entry.kind === "gap" ? 0 : 1) - (b.entry.kind === "gap" ? 0 : 1) : byKey;
}
