import type { LogTail, StreamRef } from "@tailrace/core";
import type pg from "pg";
import { readChunks } from "../chunks/read-chunks.ts";
import { openStoredChunk } from "../codec.ts";

/** The newest lines, the oldest of them first. */
export async function readTail(
  pool: pg.Pool,
  stream: StreamRef,
  limits: { lines: number; bytes: number },
): Promise<LogTail> {
  const newestFirst: Uint8Array[] = [];
  let bytes = 0;
  let nextSeq = 0;
  const tail = (cutBy: LogTail["cutBy"]): LogTail => ({ lines: newestFirst.toReversed(), nextSeq, cutBy });
  for await (const stored of readChunks(pool, stream, { newestFirst: true })) {
    const { payload, lineBytes, firstSeq, lines } = await openStoredChunk(stored);
    nextSeq = Math.max(nextSeq, firstSeq + lines);
    for (let end = lineBytes - 1; end >= 0;) {
      const start = end === 0 ? 0 : payload.lastIndexOf(0x0a, end - 1) + 1;
      bytes += end - start;
      if (newestFirst.length === limits.lines) return tail("lines");
      if (bytes > limits.bytes) return tail("bytes");
      newestFirst.push(new Uint8Array(payload.subarray(start, end)));
      end = start - 1;
    }
  }
  return tail(null);
}
