import type { ChunkCodec, StoredChunk } from "@tailrace/core";
import type pg from "pg";
import { copyOut, type CopyRow } from "./copy-out.ts";

/** The columns of `log_chunks c` that {@link copyChunks} reads. */
const CHUNK_COLUMNS = `
  c.first_seq, c.first_time, c.min_time, c.max_time, c.prior_time, c.checksum, c.lines, c.line_bytes, c.time_bytes,
  c.payload_bytes, c.output_bytes, c.levels, c.standard_streams, c.codec, c.data`;

/** A chunk as it was read: its data has memory of its own. */
export interface ReadChunk extends StoredChunk {
  data: Uint8Array<ArrayBuffer>;
}

/** A chunk with the stream that it is of. */
export interface StreamChunk {
  streamId: number;
  chunk: ReadChunk;
}

/** @param rest - what follows `select c.stream_id, … from`, see {@link CHUNK_COLUMNS} */
export async function copyChunks(client: pg.ClientBase, rest: string): Promise<StreamChunk[]> {
  const chunks: StreamChunk[] = [];
  await copyOut(client, `select c.stream_id, ${CHUNK_COLUMNS} from ${rest}`, (row) => {
    chunks.push({ streamId: Number(row.int8()), chunk: readChunk(row) });
  });
  return chunks;
}

function readChunk(row: CopyRow): ReadChunk {
  return {
    firstSeq: Number(row.int8()),
    firstTime: row.int8(),
    minTime: row.int8(),
    maxTime: row.int8(),
    priorTime: row.int8(),
    checksum: Number(row.int8()),
    lines: row.int4(),
    lineBytes: row.int4(),
    timeBytes: row.int4(),
    payloadBytes: row.int4(),
    outputBytes: row.int4(),
    levels: row.int4(),
    standardStreams: row.boolean(),
    codec: row.text() as ChunkCodec,
    data: row.bytes(),
  };
}

/** An integer as it may be written into a statement. */
export function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError("not a safe integer");
  return String(value);
}
