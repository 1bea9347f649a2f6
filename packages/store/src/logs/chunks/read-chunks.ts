import type { ChunkRange, StoredChunk, StreamRef } from "@tailrace/core";
import type pg from "pg";
import { checkDay } from "../retention/partitions.ts";
import { copyChunks, integer } from "./chunk-rows.ts";

/** About how many bytes of stored data are read at once. */
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_CHUNKS = 256;

/**
 * Reads in batches, and holds no connection between them. One chunk comes first: often no other is wanted. Where chunks are
 * replaced meanwhile one may begin before the end of the one before.
 */
export async function* readChunks(
  pool: pg.Pool,
  stream: StreamRef,
  range: ChunkRange = {},
): AsyncGenerator<StoredChunk> {
  let rest: ChunkRange = range;
  for (let limit = 1; ;) {
    const chunks = await readBatch(pool, stream, rest, limit);
    yield* chunks;
    const last = chunks.at(-1);
    if (last === undefined || chunks.length < limit) return;
    rest =
      range.newestFirst === true
        ? { ...rest, untilSeq: last.firstSeq }
        : { ...rest, fromSeq: last.firstSeq + last.lines };
    limit = nextLimit(chunks);
  }
}

/** As many as make about {@link BATCH_BYTES} if they are like the last ones. */
function nextLimit(chunks: readonly StoredChunk[]): number {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.data.length, 0);
  const average = Math.max(1, bytes / Math.max(1, chunks.length));
  return Math.min(BATCH_CHUNKS, Math.max(1, Math.floor(BATCH_BYTES / average)));
}

async function readBatch(pool: pg.Pool, stream: StreamRef, range: ChunkRange, limit: number): Promise<StoredChunk[]> {
  const client = await pool.connect();
  let usable = false;
  try {
    const chunks = await copyChunks(client, rangeOfChunks(stream, range, limit));
    usable = true;
    return chunks.map(({ chunk }) => chunk);
  } finally {
    client.release(!usable);
  }
}

/** FROM, WHERE and ORDER BY of the chunks that overlap a range. The one that holds its first line is found by the key. */
export function rangeOfChunks(stream: StreamRef, range: ChunkRange, limit: number): string {
  const { fromSeq = 0, untilSeq, fromTime, newestFirst = false } = range;
  const key = (alias: string): string =>
    `${alias}.day = '${checkDay(stream.day)}' and ${alias}.stream_id = ${integer(stream.id)}`;
  const conditions = [key("c")];
  if (fromSeq > 0) {
    const first = `select max(p.first_seq) from log_chunks p where ${key("p")} and p.first_seq <= ${integer(fromSeq)}`;
    conditions.push(`c.first_seq >= coalesce((${first}), 0)`, `c.first_seq + c.lines > ${integer(fromSeq)}`);
  }
  if (untilSeq !== undefined) conditions.push(`c.first_seq < ${integer(untilSeq)}`);
  if (fromTime !== undefined) conditions.push(`c.max_time >= ${fromTime}`);
  return `log_chunks c where ${conditions.join(" and ")} order by c.first_seq ${newestFirst ? "desc" : "asc"} limit ${limit}`;
}
