import { crc32 } from "node:zlib";
import type { StoredChunk, StreamCommit } from "@tailrace/core";

/** A record that is not what was written. */
export class SpoolRecordError extends Error {
  override readonly name = "SpoolRecordError";
}

/** Before each record: its magic word, the length of its body, the CRC-32 (IEEE) of its body; each 32 bits, big endian. */
export const HEADER_BYTES = 12;
const MAGIC = 0x544c5331;

/** Longer than any commit. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** One commit as bytes: a header, a JSON text behind its length, and the chunks' data. */
export function writeRecord(commit: StreamCommit): Buffer {
  const meta = Buffer.from(
    JSON.stringify(
      { ...commit, chunks: commit.chunks.map(({ data, ...rest }) => ({ ...rest, dataBytes: data.length })) },
      packed,
    ),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(meta.length);
  const body = Buffer.concat([length, meta, ...commit.chunks.map(({ data }) => data)]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt32BE(body.length, 4);
  header.writeUInt32BE(crc32(body), 8);
  return Buffer.concat([header, body]);
}

/** @throws SpoolRecordError */
export function readHeader(header: Buffer): { bodyBytes: number; checksum: number } {
  const bodyBytes = header.readUInt32BE(4);
  if (header.readUInt32BE(0) !== MAGIC || bodyBytes > MAX_BODY_BYTES)
    throw new SpoolRecordError("what stands here is no record");
  return { bodyBytes, checksum: header.readUInt32BE(8) };
}

/** @throws SpoolRecordError */
export function readBody(body: Buffer, checksum: number): StreamCommit {
  if (crc32(body) !== checksum) throw new SpoolRecordError("a record's checksum is wrong");
  const metaEnd = 4 + body.readUInt32BE(0);
  const meta = JSON.parse(body.toString("utf8", 4, metaEnd), unpacked) as Omit<StreamCommit, "chunks"> & {
    chunks: (Omit<StoredChunk, "data"> & { dataBytes: number })[];
  };
  let at = metaEnd;
  const chunks = meta.chunks.map(({ dataBytes, ...rest }) => {
    at += dataBytes;
    return { ...rest, data: body.subarray(at - dataBytes, at) };
  });
  return { ...meta, chunks };
}

/** JSON has neither integers of 64 bits nor bytes. */
function packed(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return { $int: String(value) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  return value;
}

function unpacked(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("$int" in value && typeof value.$int === "string") return BigInt(value.$int);
  if ("$bytes" in value && typeof value.$bytes === "string") return new Uint8Array(Buffer.from(value.$bytes, "base64"));
  return value;
}
