import type { LogEntry, LogStream } from "@tailrace/core";
import type pg from "pg";
import { insertInOrder } from "./insert-in-order.ts";
import { readLiveStreams } from "./live-streams.ts";
import { StreamCursor } from "./stream-cursor.ts";

/** Entries in one piece. */
const PIECE_ENTRIES = 1_000;
const PIECE_BYTES = 1024 * 1024;

/**
 * The lines that the streams have when it begins, in the order of a page, with their gaps.
 *
 * @throws TailraceError CONFLICT when lines are deleted meanwhile
 */
export async function* exportLogs(
  pool: pg.Pool,
  streams: readonly LogStream[],
  signal: AbortSignal,
): AsyncGenerator<LogEntry[]> {
  const streamsThere = await readLiveStreams(pool, streams);
  const cursors = inOrder(streamsThere.map((stream) => new StreamCursor(pool, stream)));
  let piece: LogEntry[] = [];
  let bytes = 0;
  for (let cursor = cursors.shift(); cursor !== undefined; cursor = cursors.shift()) {
    const next = cursors[0] ?? null;
    while (cursor.comesBefore(next)) {
      const entries = cursor.ready ? cursor.take() : await cursor.load();
      for (const entry of entries) {
        piece.push(entry);
        if (entry.kind === "line") bytes += entry.bytes.length;
      }
      if (piece.length < PIECE_ENTRIES && bytes < PIECE_BYTES) continue;
      signal.throwIfAborted();
      yield piece;
      piece = [];
      bytes = 0;
    }
    if (!cursor.ended) insertInOrder(cursors, cursor, comesBefore);
  }
  signal.throwIfAborted();
  if (piece.length > 0) yield piece;
}

function inOrder(cursors: readonly StreamCursor[]): StreamCursor[] {
  const sorted: StreamCursor[] = [];
  for (const cursor of cursors) if (!cursor.ended) insertInOrder(sorted, cursor, comesBefore);
  return sorted;
}

function comesBefore(cursor: StreamCursor, other: StreamCursor): boolean {
  return cursor.comesBefore(other);
}
