import {
  ChunkLines,
  Marks,
  markLines,
  type Chunk,
  type LogStore,
  type StoredChunk,
  type StreamRef,
} from "@tailrace/core";

/** Chunks are read back in memory up to this many bytes of lines. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface StoredLines {
  store: Pick<LogStore, "readChunks">;
  openChunk: (stored: StoredChunk) => Promise<Chunk>;
}

/**
 * The marks of a stream's newest lines: all that are not older than the last one by more than `seconds`.
 *
 * @returns empty marks for a stream without lines
 */
export async function newestMarks(
  stream: StreamRef,
  seconds: number,
  { store, openChunk }: StoredLines,
): Promise<Marks> {
  const marks = new Marks();
  let last: number | null = null;
  for await (const stored of store.readChunks(stream, { newestFirst: true })) {
    for (const lines = new ChunkLines(await openChunk(stored)); lines.next();) last = lines.seconds;
    break;
  }
  if (last === null) return marks;
  const fromTime = BigInt(last - seconds) * 1_000_000_000n;
  for await (const stored of store.readChunks(stream, { fromTime })) markLines(marks, await openChunk(stored));
  return marks;
}

/**
 * The marks of all of a stream's lines, to compare with everything that a container's current file holds.
 *
 * @returns null when they are too many for that
 */
export async function allMarks(stream: StreamRef, { store, openChunk }: StoredLines): Promise<Marks | null> {
  const marks = new Marks();
  let bytes = 0;
  for await (const stored of store.readChunks(stream)) {
    bytes += stored.lineBytes;
    if (bytes > MAX_BYTES) return null;
    markLines(marks, await openChunk(stored));
  }
  return marks;
}
