/** One entry of a container's log file, as containerd writes it: `2026-11-23T16:22:29.24Z stdout F text`. */
export interface LogRecord {
  /** RFC 3339 in UTC with nine fraction digits, so that text order is time order. */
  time: string;
  /** True when the line goes on in a later record of the same stream. */
  partial: boolean;
  content: Buffer;
}

export type StreamName = "stdout" | "stderr";

/** Takes one record's content: `bytes` from `start` to `end`, which are only lent. */
export type TakeContent = (partial: boolean, bytes: Buffer, start: number, end: number) => void;

/** containerd's `max_container_log_line_size`: longer lines become several records. */
const MAX_RECORD_BYTES = 16_384;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Cuts one stream of a container into records; keeps what is not decided yet. */
export class RecordSplitter {
  #pending: Buffer = Buffer.alloc(0);

  /**
   * A line of the stream is a record; one `\r` before its `\n` is dropped; pieces of 16 KiB are taken off a longer one.
   *
   * @param chunk - may be used again afterwards
   */
  push(chunk: Buffer, take: TakeContent): void {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let start = 0;
    let newline = bytes.indexOf(NEWLINE);
    for (;;) {
      if (newline !== -1 && newline - start <= MAX_RECORD_BYTES) {
        const returned = newline > start && bytes[newline - 1] === CARRIAGE_RETURN;
        take(false, bytes, start, returned ? newline - 1 : newline);
        start = newline + 1;
        newline = bytes.indexOf(NEWLINE, start);
      } else if (newline !== -1 || wholeBlocks(bytes.length - start) > MAX_RECORD_BYTES) {
        take(true, bytes, start, start + MAX_RECORD_BYTES);
        start += MAX_RECORD_BYTES;
      } else {
        this.#pending = Buffer.from(bytes.subarray(start));
        return;
      }
    }
  }

  /** The stream has ended: an unfinished line is partial. */
  end(take: TakeContent): void {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    for (let start = 0; start < rest.length; start += MAX_RECORD_BYTES)
      take(true, rest, start, Math.min(rest.length, start + MAX_RECORD_BYTES));
  }
}

/** containerd reads a line in blocks of 4 KiB, and a block that is not full waits for the line's end (its internal/cri/io). */
function wholeBlocks(length: number): number {
  return length - (length % 4096);
}

/**
 * @param line - of the file, without its newline
 * @throws Error when it is not a record
 */
export function parseRecord(line: Buffer): LogRecord {
  const afterTime = line.indexOf(0x20);
  const afterStream = line.indexOf(0x20, afterTime + 1);
  const afterTag = line.indexOf(0x20, afterStream + 1);
  if (afterTime === -1 || afterStream === -1 || afterTag === -1) throw new Error("not a record of a container log");
  return {
    time: padTime(line.toString("latin1", 0, afterTime)),
    // The tag may have more parts, behind colons.
    partial: line[afterStream + 1] === 0x50,
    content: line.subarray(afterTag + 1),
  };
}

/** `2026-11-23T16:22:29.24Z` → `2026-11-23T16:22:29.240000000Z`. */
function padTime(time: string): string {
  if (time.length === 30) return time;
  const [seconds, fraction = ""] = time.slice(0, -1).split(".") as [string, string?];
  return `${seconds}.${fraction.padEnd(9, "0")}Z`;
}
