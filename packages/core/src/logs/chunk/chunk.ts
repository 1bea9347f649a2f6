/** The line was written to stderr. Without meaning where a chunk's `standardStreams` is false. */
export const STDERR = 1;
/** The line has no newline of its own: the output ended there, or the line goes on in the next one of the same standard stream. */
export const UNFINISHED = 2;

/**
 * Consecutive lines of one stream, as they lie in one row.
 *
 * The payload is three sections behind one another: the lines' bytes, each followed by `\n`; for each line a varint of
 * the zigzag-coded distance to the time of the line before (nanoseconds; the first from `firstTime`), shifted left by two
 * for {@link STDERR} and {@link UNFINISHED}; and the notes (see `notes.ts`), nearly always empty.
 */
export interface ChunkMeta {
  /** The seq of the first line. */
  firstSeq: number;
  lines: number;
  /** Length of the payload's first section. */
  lineBytes: number;
  /** Length of the payload's second section. */
  timeBytes: number;
  /** Length of the whole payload. */
  payloadBytes: number;
  /** How many bytes the container wrote for these lines, newlines included where it wrote them. */
  outputBytes: number;
  /** Nanoseconds since the epoch, of the first line. */
  firstTime: bigint;
  minTime: bigint;
  maxTime: bigint;
  /** The greatest time of any line of the stream before this chunk; `firstTime` where there is none. */
  priorTime: bigint;
  /** Bits of the levels that occur (see `level.ts`). */
  levels: number;
  /** True when stdout and stderr were told apart. */
  standardStreams: boolean;
}

export interface Chunk extends ChunkMeta {
  payload: Uint8Array;
}

/** How a stored payload is coded. */
export type ChunkCodec = "none" | "zstd";

export interface StoredChunk extends ChunkMeta {
  codec: ChunkCodec;
  /** CRC-32 (IEEE) of the payload. */
  checksum: number;
  data: Uint8Array;
}
