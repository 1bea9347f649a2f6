import type { LogEntry, LogStream } from "@tailrace/core";
import { type LogItem, toItem, toTruncationItem } from "./items.ts";

/**
 * What a page shows. A truncation stands behind what the page has of its stream, and at the page's end where it has nothing.
 *
 * @param streams - all of the run, by their ordinals
 */
export function toItems(
  entries: readonly LogEntry[],
  truncated: readonly LogStream[],
  streams: readonly LogStream[],
): LogItem[] {
  const items: LogItem[] = entries.map((entry) => toItem(entry, streams[entry.ordinal]!));
  // From the end, so that those that are put in don't move the places of the others.
  const places = truncated
    .map((stream) => ({ stream, last: entries.findLastIndex(({ ordinal }) => ordinal === stream.ordinal) }))
    .map(({ stream, last }) => ({ stream, place: last === -1 ? entries.length : last + 1 }))
    .toSorted((a, b) => b.place - a.place || b.stream.ordinal - a.stream.ordinal);
  for (const { stream, place } of places) items.splice(place, 0, toTruncationItem(stream));
  return items;
}
