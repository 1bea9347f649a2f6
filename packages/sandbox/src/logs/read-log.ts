import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { parseRecord } from "./cri.ts";
import type { LogFile } from "./log-file.ts";
import { LogFormatter, type ReadRules } from "./read-rules.ts";

export interface ReadOptions extends ReadRules {
  follow: boolean;
  /** Records from the end of the file, so pieces of long lines count. */
  tailLines: number | undefined;
  /** How long a followed stream stays open after the container's end, in milliseconds. */
  followEndMs: number;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** The body of a log answer, piece by piece; ends early when the signal aborts. */
export async function* readLog(log: LogFile, options: ReadOptions, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  const file = await open(log.path, "r");
  try {
    const limit = options.follow ? Infinity : log.size;
    let position = options.tailLines === undefined ? 0 : await tailStart(file, log.size, options.tailLines);
    const formatter = new LogFormatter(options);
    let rest: Buffer = Buffer.alloc(0);
    while (!signal.aborted && !formatter.full) {
      const ended = log.ended;
      const end = Math.min(limit, log.size);
      if (position < end) {
        const block = Buffer.alloc(Math.min(BLOCK_BYTES, end - position));
        const { bytesRead } = await file.read(block, 0, block.length, position);
        position += bytesRead;
        const { text, unfinished } = format(formatter, Buffer.concat([rest, block.subarray(0, bytesRead)]));
        rest = unfinished;
        if (text.length > 0) yield text;
      } else if (!options.follow) {
        return;
      } else if (ended) {
        await delay(options.followEndMs, undefined, { signal }).catch(ignoreAbort);
        return;
      } else if (position === log.size && !log.ended) {
        await log.changed(signal);
      }
    }
  } finally {
    await file.close();
  }
}

function format(formatter: LogFormatter, bytes: Buffer): { text: Buffer; unfinished: Buffer } {
  const parts: Buffer[] = [];
  let start = 0;
  for (let newline = bytes.indexOf(NEWLINE); newline !== -1; newline = bytes.indexOf(NEWLINE, start)) {
    if (!formatter.full) parts.push(formatter.push(parseRecord(bytes.subarray(start, newline))));
    start = newline + 1;
  }
  return { text: Buffer.concat(parts), unfinished: bytes.subarray(start) };
}

/** The offset of the last `count` physical lines. */
async function tailStart(file: FileHandle, size: number, count: number): Promise<number> {
  if (count === 0) return size;
  let found = 0;
  let end = size - 1;
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = Buffer.alloc(end - start);
    await file.read(block, 0, block.length, start);
    for (let at = block.lastIndexOf(NEWLINE); at !== -1; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      found++;
      if (found === count) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}
