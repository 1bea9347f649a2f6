import { type LogEntry, type LogStream, describeGap, escapeLine, formatContainerLogs, gapLine } from "@tailrace/core";

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const EQUALS_SIGN = 0x3d;

const NOTHING = Buffer.alloc(0);

/**
 * The text format of the snapshot, with all lines: what core's `formatContainerLogs` makes of them, but that the lines'
 * bytes stay as they are.
 *
 * @param read - gives the lines of one stream in pieces
 */
export async function* textLog(
  streams: readonly LogStream[],
  read: (stream: LogStream) => AsyncIterable<readonly LogEntry[]>,
): AsyncGenerator<Buffer> {
  for (const [index, stream] of streams.entries()) {
    let head = Buffer.from((index === 0 ? "" : "\n") + header(stream));
    // Together with the first lines, so that where those can't be read nothing is sent.
    for await (const entries of read(stream)) {
      yield formatEntries(head, entries);
      head = NOTHING;
    }
    if (head.length > 0) yield head;
  }
}

function header({ pod, container, named, restart, truncated: reason }: LogStream): string {
  const state = reason === null ? "log" : "error";
  return formatContainerLogs([{ pod, container: named ? container : null, restart, state, reason, lines: [] }]);
}

function formatEntries(head: Buffer, entries: readonly LogEntry[]): Buffer {
  const parts = entries.map((entry) =>
    entry.kind === "line" ? entry.bytes : Buffer.from(gapLine(describeGap(entry))),
  );
  // A backslash and a newline.
  const size = parts.reduce((sum, part) => sum + part.length + 2, head.length);
  const out = Buffer.allocUnsafe(size);
  out.set(head);
  let end = head.length;
  for (const [index, bytes] of parts.entries()) {
    if (entries[index]!.kind === "line" && isEscaped(bytes)) out[end++] = BACKSLASH;
    out.set(bytes, end);
    end += bytes.length;
    out[end++] = NEWLINE;
  }
  return out.subarray(0, end);
}

/** Nearly every line is seen by its first byte to need none. */
function isEscaped(line: Uint8Array): boolean {
  if (line[0] !== EQUALS_SIGN && line[0] !== BACKSLASH) return false;
  const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString("latin1");
  return escapeLine(text) !== text;
}
