import { open, type FileHandle } from "node:fs/promises";
import { parseRecord } from "./cri.ts";
import type { LogFile } from "./log-file.ts";
import type { LogWatch } from "./log-watch.ts";
import { LogFormatter, type ReadRules } from "./read-rules.ts";

export interface ReadOptions extends ReadRules {
  follow: boolean;
  /** Records from the end of the file, so pieces of long lines count. */
  tailLines: number | undefined;
  /** How long a follower waits for an event before it looks at file and container anew, in milliseconds; 1000 in the kubelet. */
  tickMs: number;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The body of a log answer, piece by piece, as the kubelet reads it (k8s.io/cri-client, pkg/logs/logs.go, ReadLogs and
 * waitLogs); ends early when the signal aborts.
 *
 * It reads the file that is current when it begins. A follower goes on in a new one only when it has come to its file's
 * end, and only by the events of a watch that it begins at the first such end. So, when the log is rotated,
 * - a slow follower passes over every file that was rotated away meanwhile,
 * - reads the current file once for each of those rotations, from its beginning,
 * - and never leaves the rotated file when it had not been at its end before, or when the container has ended.
 *
 * @throws Error ENOENT while there is no current file
 */
export async function* readLog(log: LogFile, options: ReadOptions, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  const { follow, tailLines, tickMs } = options;
  let file = await open(log.path, "r");
  let watch: LogWatch | undefined;
  try {
    const { size } = await file.stat();
    let position = tailLines === undefined ? 0 : await tailStart(file, size, tailLines);
    let rest: Buffer = Buffer.alloc(0);
    let running = true;
    const formatter = new LogFormatter(options);
    while (!signal.aborted && !formatter.full) {
      const block = Buffer.allocUnsafe(follow ? BLOCK_BYTES : Math.min(BLOCK_BYTES, size - position));
      const { bytesRead } = await file.read(block, 0, block.length, position);
      if (bytesRead > 0) {
        position += bytesRead;
        const read = block.subarray(0, bytesRead);
        const { text, unfinished } = format(formatter, rest.length === 0 ? read : Buffer.concat([rest, read]));
        rest = unfinished;
        if (text.length > 0) yield text;
      } else if (!follow || !running) {
        return;
      } else if (watch === undefined) {
        watch = log.watch();
      } else if (log.ended) {
        running = false;
      } else if ((await watch.next(tickMs, signal)) === "created") {
        const next = await openExisting(log.path);
        if (next === null) continue;
        await file.close();
        file = next;
        position = 0;
        rest = Buffer.alloc(0);
      }
    }
  } finally {
    watch?.close();
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

async function openExisting(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
