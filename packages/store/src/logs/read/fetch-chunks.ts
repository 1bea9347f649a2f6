import type pg from "pg";
import { copyChunks, integer, type ReadChunk } from "../chunks/chunk-rows.ts";
import { checkDay } from "../retention/partitions.ts";
import type { LiveStream } from "./live-streams.ts";

export interface ChunkKey {
  stream: LiveStream;
  firstSeq: number;
}

/** Chunks of one day by their keys, in the keys' order. */
export async function fetchChunks(client: pg.ClientBase, keys: readonly ChunkKey[]): Promise<ReadChunk[]> {
  if (keys.length === 0) return [];
  const found = new Map<string, ReadChunk>();
  for (const { streamId, chunk } of await copyChunks(client, chunksByKey(keys)))
    found.set(`${streamId}/${chunk.firstSeq}`, chunk);
  return keys.map(({ stream, firstSeq }) => {
    const chunk = found.get(`${stream.id}/${firstSeq}`);
    if (chunk === undefined)
      throw new Error(`the chunk of line ${firstSeq} of stream ${stream.id} is gone from its snapshot`);
    return chunk;
  });
}

export function chunksByKey(keys: readonly ChunkKey[]): string {
  const values = keys.map(({ stream, firstSeq }) => `(${integer(stream.id)}::bigint, ${integer(firstSeq)}::bigint)`);
  return `(values ${values.join(", ")}) as k(stream_id, first_seq)
    join log_chunks c on c.day = '${checkDay(keys[0]!.stream.day)}' and c.stream_id = k.stream_id and c.first_seq = k.first_seq`;
}

/** Lines of a stream. */
export interface ChunksRange {
  stream: LiveStream;
  fromSeq: number;
  /** Not in it any more. */
  untilSeq: number;
}

/**
 * FROM and ORDER BY of the chunks of one day that overlap ranges of different streams.
 *
 * @param limit - of all; each range gets its share, and at least one
 */
export function chunksOfRanges(ranges: readonly ChunksRange[], limit: number): string {
  const values = ranges.map(
    ({ stream, fromSeq, untilSeq }) =>
      `(${integer(stream.id)}::bigint, ${integer(fromSeq)}::bigint, ${integer(untilSeq)}::bigint)`,
  );
  const key = (alias: string): string =>
    `${alias}.day = '${checkDay(ranges[0]!.stream.day)}' and ${alias}.stream_id = r.stream_id`;
  return `(values ${values.join(", ")}) as r(stream_id, from_seq, until_seq)
    cross join lateral (
      select c.* from log_chunks c
      where ${key("c")} and c.first_seq < r.until_seq and c.first_seq + c.lines > r.from_seq and c.first_seq >= coalesce((
        select max(p.first_seq) from log_chunks p where ${key("p")} and p.first_seq <= r.from_seq
      ), 0)
      order by c.first_seq limit ${Math.ceil(limit / ranges.length)}
    ) c
    order by c.stream_id, c.first_seq`;
}
