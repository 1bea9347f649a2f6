import type { StoredChunk, StreamRef } from "@tailrace/core";
import type pg from "pg";
import { inTransaction, type Queryable } from "../../database.ts";
import { chunkRow } from "../commit/batch.ts";

/**
 * Two statements: whoever writes a stream locks its row, and only a snapshot taken behind that lock surely sees the rows
 * that are there.
 */
export function replaceChunks(pool: pg.Pool, stream: StreamRef, fence: number, chunk: StoredChunk): Promise<boolean> {
  return inTransaction(
    pool,
    async (client) => (await lockStream(client, stream, fence)) && (await replace(client, stream, chunk)),
  );
}

async function lockStream(client: Queryable, stream: StreamRef, fence: number): Promise<boolean> {
  const { rowCount } = await client.query(
    "select from log_streams where id = $1 and fence = $2 and expired_at is null for no key update",
    [stream.id, fence],
  );
  return rowCount === 1;
}

/** Nothing is deleted unless the rows in the range are exactly the chunk's lines. */
async function replace(client: Queryable, stream: StreamRef, chunk: StoredChunk): Promise<boolean> {
  const { rowCount } = await client.query(REPLACE_CHUNKS, [
    stream.day,
    stream.id,
    chunk.firstSeq,
    chunk.firstSeq + chunk.lines,
    JSON.stringify(chunkRow(chunk)),
    toBuffer(chunk.data),
  ]);
  return rowCount === 1;
}

const REPLACE_CHUNKS = `
  with chunk as (
    select * from json_to_record($5::json) as c
      (first_seq bigint, first_time bigint, min_time bigint, max_time bigint, prior_time bigint, checksum bigint,
       lines int, line_bytes int, time_bytes int, payload_bytes int, output_bytes int, levels int,
       standard_streams boolean, codec text)
  ), same as materialized (
    select from chunk n join (
      select min(first_seq) as first_seq, sum(lines) as lines, sum(output_bytes) as output_bytes
      from log_chunks where day = $1 and stream_id = $2 and first_seq >= $3 and first_seq < $4
    ) o on o.first_seq = n.first_seq and o.lines = n.lines and o.output_bytes = n.output_bytes
  ), old as (
    delete from log_chunks
    where day = $1 and stream_id = $2 and first_seq >= $3 and first_seq < $4 and exists (select from same)
    returning first_seq
  )
  insert into log_chunks
    (day, stream_id, first_seq, first_time, min_time, max_time, prior_time, checksum,
     lines, line_bytes, time_bytes, payload_bytes, output_bytes, levels, standard_streams, codec, data)
  select $1, $2, n.first_seq, n.first_time, n.min_time, n.max_time, n.prior_time, n.checksum,
    n.lines, n.line_bytes, n.time_bytes, n.payload_bytes, n.output_bytes, n.levels, n.standard_streams, n.codec, $6
  from chunk n where (select count(*) from old) > 0`;

/** The same memory, in the form that pg sends as it is. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
