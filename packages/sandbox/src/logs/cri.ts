/** One entry of a container's log file, as containerd writes it: `2026-11-23T16:22:29.24Z stdout F text`. */
export interface LogRecord {
  /** RFC 3339 in UTC with nine fraction digits, so that text order is time order. */
  time: string;
  /** True when the line goes on in a later record of the same stream. */
  partial: boolean;
  content: Buffer;
}

export type StreamName = "stdout" | "stderr";

/** containerd's `max_container_log_line_size`: longer lines become several records. */
const MAX_RECORD_BYTES = 16_384;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Cuts one stream of a container into records; keeps what is not decided yet. */
export class RecordSplitter {
  #pending: Buffer = Buffer.alloc(0);

  /** A line of the stream is a record; one `\r` before its `\n` is dropped; pieces of 16 KiB are taken off a longer one. */
  push(chunk: Buffer): { partial: boolean; content: Buffer }[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const records: { partial: boolean; content: Buffer }[] = [];
    for (;;) {
      const newline = this.#pending.indexOf(NEWLINE);
      if (newline !== -1 && newline <= MAX_RECORD_BYTES) {
        const end = this.#pending[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
        records.push({ partial: false, content: this.#pending.subarray(0, end) });
        this.#pending = this.#pending.subarray(newline + 1);
      } else if (newline !== -1 || wholeBlocks(this.#pending.length) > MAX_RECORD_BYTES) {
        records.push({ partial: true, content: this.#pending.subarray(0, MAX_RECORD_BYTES) });
        this.#pending = this.#pending.subarray(MAX_RECORD_BYTES);
      } else {
        return records;
      }
    }
  }

  /** The stream has ended: an unfinished line is partial. */
  end(): { partial: boolean; content: Buffer }[] {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    const pieces = [rest.subarray(0, MAX_RECORD_BYTES), rest.subarray(MAX_RECORD_BYTES)];
    return pieces.filter(({ length }) => length > 0).map((content) => ({ partial: true, content }));
  }
}

/** containerd reads a line in blocks of 4 KiB, and a block that is not full waits for the line's end (its internal/cri/io). */
function wholeBlocks(length: number): number {
  return length - (length % 4096);
}

/** A record as a line of the file; trailing zeros of the fraction are dropped there. */
export function formatRecord(
  time: string,
  stream: StreamName,
  { partial, content }: { partial: boolean; content: Buffer },
): Buffer {
  const short = time.replace(/\.?0*Z$/, "Z");
  return Buffer.concat([Buffer.from(`${short} ${stream} ${partial ? "P" : "F"} `), content, Buffer.from("\n")]);
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
    partial: line.toString("latin1", afterStream + 1, afterTag).split(":")[0] === "P",
    content: line.subarray(afterTag + 1),
  };
}

/** `2026-11-23T16:22:29.24Z` → `2026-11-23T16:22:29.240000000Z`. */
function padTime(time: string): string {
  const [seconds, fraction = ""] = time.slice(0, -1).split(".") as [string, string?];
  return `${seconds}.${fraction.padEnd(9, "0")}Z`;
}

/** The wall clock with the nanoseconds of the monotonic one, nine fraction digits. */
export function preciseNow(): string {
  const ms = performance.timeOrigin + performance.now();
  const whole = Math.floor(ms);
  const nanoseconds = Math.floor((ms - whole) * 1_000_000);
  return `${new Date(whole).toISOString().slice(0, 23)}${String(nanoseconds).padStart(6, "0")}Z`;
}
