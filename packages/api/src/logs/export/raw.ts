import type { LogEntry, LogLine } from "@tailrace/core";

const NEWLINE = 0x0a;

/** Exactly what the container wrote. Gaps and truncation have no place in it. */
export async function* rawLog(pieces: AsyncIterable<readonly LogEntry[]>): AsyncGenerator<Buffer> {
  for await (const entries of pieces) {
    const lines = entries.filter((entry): entry is LogLine => entry.kind === "line");
    const out = Buffer.allocUnsafe(lines.reduce((sum, { bytes }) => sum + bytes.length + 1, 0));
    let end = 0;
    for (const { bytes, unfinished } of lines) {
      out.set(bytes, end);
      end += bytes.length;
      if (!unfinished) out[end++] = NEWLINE;
    }
    if (end > 0) yield out.subarray(0, end);
  }
}
