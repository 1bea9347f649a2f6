import {
  CHUNK_BYTES,
  ChunkBuilder,
  copyLines,
  type BufferPool,
  type Chunk,
  type LogStore,
  type StoredChunk,
  type StreamRef,
} from "@tailrace/core";

export interface CompactDeps {
  store: Pick<LogStore, "readChunks" | "replaceChunks">;
  openChunk: (stored: StoredChunk) => Promise<Chunk>;
  storeChunk: (chunk: Chunk) => Promise<StoredChunk>;
  pool: BufferPool;
}

/** A chunk of at least so many bytes of lines is left as it is. */
export const LARGE_BYTES = CHUNK_BYTES / 8;

/** Times in one chunk are coded by their distances; chunks that are further apart stay apart: a day, in nanoseconds. */
const FAR = 86_400_000_000_000n;

/**
 * Joins a stream's small chunks to chunks of about 1 MiB, and shows every chunk to `see` on the way, in order.
 *
 * @param range - from the first to the last chunk that may be touched
 * @returns false when another process has the stream
 */
export async function compact(
  stream: StreamRef,
  fence: number,
  range: { fromSeq: number; untilSeq: number },
  deps: CompactDeps,
  see: (chunk: Chunk) => void = () => undefined,
): Promise<boolean> {
  const { store, openChunk } = deps;
  let group: Chunk[] = [];
  let bytes = 0;
  const join = async (): Promise<boolean> => {
    const joined = group;
    group = [];
    bytes = 0;
    return joined.length < 2 || (await replace(stream, fence, joined, deps));
  };
  for await (const stored of store.readChunks(stream, range)) {
    const chunk = await openChunk(stored);
    see(chunk);
    const large = chunk.lineBytes >= LARGE_BYTES;
    const apart = group.length > 0 && !joinable(group.at(-1)!, chunk);
    if ((large || apart || bytes + chunk.lineBytes > CHUNK_BYTES) && !(await join())) return false;
    if (large) {
      deps.pool.release(chunk.payload.buffer);
      continue;
    }
    group.push(chunk);
    bytes += chunk.lineBytes;
  }
  return await join();
}

function joinable(before: Chunk, chunk: Chunk): boolean {
  const distance = chunk.firstTime - before.maxTime;
  return chunk.standardStreams === before.standardStreams && distance < FAR && distance > -FAR;
}

async function replace(
  stream: StreamRef,
  fence: number,
  chunks: readonly Chunk[],
  deps: CompactDeps,
): Promise<boolean> {
  const joined = joinChunks(chunks, deps.pool);
  const stored = await deps.storeChunk(joined);
  if (stored.data.buffer !== joined.payload.buffer) deps.pool.release(joined.payload.buffer);
  return await deps.store.replaceChunks(stream, fence, stored);
}

/** One chunk with the lines of several that follow one another. */
function joinChunks(chunks: readonly Chunk[], pool: BufferPool): Chunk {
  const [first] = chunks;
  const { firstSeq, standardStreams, priorTime } = first!;
  const builder = new ChunkBuilder(pool, { nextSeq: firstSeq, priorTime: null, standardStreams });
  builder.reserve(chunks.reduce((sum, { lineBytes }) => sum + lineBytes, 0));
  for (const chunk of chunks) copyLines(chunk, builder);
  return { ...builder.take()!, priorTime };
}
