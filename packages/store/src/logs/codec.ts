import { promisify } from "node:util";
import {
  constants,
  crc32,
  createZstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
  type ZstdOptions,
} from "node:zlib";
import { ChunkError, freeLarge } from "@tailrace/core/chunk";
import type { Chunk, StoredChunk } from "@tailrace/core";

/** Below this zstd's own frame eats what it saves. */
const SMALLEST_COMPRESSED = 512;

/** Up to this it takes less time to compress and to decompress than to hand it to another thread and back. */
const LARGEST_SYNC = 32 * 1024;

/**
 * Level 1 is the fastest and the best here: 3 and -1 are slower and larger on log lines. Lines repeat in long pieces, so
 * that matches of less than 7 bytes, which zstd looks for in a chunk below 256 KiB, cost more than they save (1.6 % of what
 * is stored), and a hash table that fits into the processor's first cache finds as much as one of twice its size.
 */
const PARAMETERS: ZstdOptions["params"] = {
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_minMatch]: 7,
  [constants.ZSTD_c_hashLog]: 13,
  [constants.ZSTD_c_windowLog]: 18,
  [constants.ZSTD_c_checksumFlag]: 1,
};

const decompress = promisify<Uint8Array, ZstdOptions, Buffer>(zstdDecompress);

/**
 * Compresses a chunk, a large one in libuv's pool. The payload must stay as it is until this resolves; what was stored shares no
 * memory with it.
 */
export async function storeChunk(chunk: Chunk): Promise<StoredChunk> {
  const { payload, ...meta } = chunk;
  const checksum = crc32(payload);
  if (payload.length >= SMALLEST_COMPRESSED) {
    const data = await compress(payload);
    if (data.length < payload.length) return { ...meta, codec: "zstd", checksum, data };
  }
  return { ...meta, codec: "none", checksum, data: new Uint8Array(payload) };
}

function compress(payload: Uint8Array): Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer> {
  // With the size known beforehand, all of the input and room for all of the output zstd works in one go, without buffers
  // of its own: a fifth of the time less.
  const options: ZstdOptions = {
    params: PARAMETERS,
    pledgedSrcSize: payload.length,
    chunkSize: compressBound(payload.length),
    flush: constants.ZSTD_e_end,
  };
  if (payload.length <= LARGEST_SYNC) return new Uint8Array(zstdCompressSync(payload, options));
  return compressInPool(payload, options);
}

/** What zstd needs at most, about (zstd.h, ZSTD_COMPRESSBOUND). */
function compressBound(size: number): number {
  return size + (size >> 8) + 1024;
}

/** Frees at once what it has compressed into, which `zstdCompress` leaves to the garbage collector. */
function compressInPool(payload: Uint8Array, options: ZstdOptions): Promise<Uint8Array<ArrayBuffer>> {
  const stream = createZstdCompress(options);
  const pieces: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.on("error", reject);
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    // Each write is a whole frame; an `end` would put an empty one behind it.
    stream.write(payload, (error) => {
      if (error) return reject(error);
      const data = concat(pieces);
      for (const { buffer } of pieces) freeLarge(buffer);
      // Within this callback the stream would make an error for writes that it has not got.
      queueMicrotask(() => stream.destroy());
      resolve(data);
    });
  });
}

/** In memory of its own. */
function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Decompresses a chunk, a large one in libuv's pool. @throws ChunkError when it is not what was stored */
export async function openStoredChunk(stored: StoredChunk): Promise<Chunk> {
  if (stored.codec === "none") return checked(stored, stored.data);
  const open = stored.payloadBytes <= LARGEST_SYNC ? zstdDecompressSync : decompress;
  let payload;
  try {
    payload = await open(stored.data, limits(stored));
  } catch (error) {
    throw damaged(stored, { cause: error });
  }
  return checked(stored, payload);
}

/**
 * The same on this thread, for a search: what was compressed is checked by zstd's own checksum alone, which spares a
 * sixth of the time. @throws ChunkError
 */
export function openStoredChunkSync(stored: StoredChunk): Chunk {
  if (stored.codec === "none") return checked(stored, stored.data);
  try {
    return ofLength(stored, zstdDecompressSync(stored.data, limits(stored)));
  } catch (error) {
    throw error instanceof ChunkError ? error : damaged(stored, { cause: error });
  }
}

/** One output buffer is what zlib is quickest with; where it is full at the end, zlib makes another. */
function limits({ payloadBytes }: StoredChunk): ZstdOptions {
  return { chunkSize: payloadBytes + 64, maxOutputLength: payloadBytes };
}

function checked(stored: StoredChunk, payload: Uint8Array): Chunk {
  if (crc32(payload) !== stored.checksum) throw damaged(stored);
  return ofLength(stored, payload);
}

function ofLength(stored: StoredChunk, payload: Uint8Array): Chunk {
  const { codec: _, checksum: __, data: ___, ...meta } = stored;
  if (payload.length !== meta.payloadBytes || meta.lineBytes + meta.timeBytes > meta.payloadBytes)
    throw damaged(stored);
  return { ...meta, payload };
}

function damaged({ firstSeq, lines }: StoredChunk, options?: ErrorOptions): ChunkError {
  return new ChunkError(`the chunk of lines ${firstSeq} to ${firstSeq + lines - 1} is not what was stored`, options);
}
