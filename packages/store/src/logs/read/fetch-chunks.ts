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
