import type { LogEntry, LogLine, LogStream } from "@tailrace/core";
import { originOf, toGapItem, toTruncationItem } from "../items.ts";
import { lineText } from "../line-text.ts";
import { TimeFormat } from "../time-format.ts";

/**
 * One JSON object a line, in the order of a page: a line with the fields of `LogLineItem` but `kind`; a gap with those of
 * its container, `seq` and `gap`; the end of a truncated log with `seq` and `truncated`, the reason.
 *
 * @param streams - those that are read
 */
export async function* ndjsonLog(
  streams: readonly LogStream[],
  pieces: AsyncIterable<readonly LogEntry[]>,
): AsyncGenerator<Buffer> {
  const format = new NdjsonFormat(streams);
  for await (const entries of pieces) yield Buffer.from(format.write(entries));
  const rest = format.end();
  if (rest !== "") yield Buffer.from(rest);
}

/** A stream, and what its lines begin with: made once, since nearly all of the time is spent on lines. */
interface Written {
  stream: LogStream;
  head: string;
}

class NdjsonFormat {
  readonly #streams: ReadonlyMap<number, Written>;
  readonly #truncated: Map<number, LogStream>;
  readonly #time = new TimeFormat();

  constructor(streams: readonly LogStream[]) {
    this.#streams = new Map(streams.map((stream) => [stream.ordinal, { stream, head: headOf(stream) }]));
    this.#truncated = new Map(
      streams.filter(({ truncated }) => truncated !== null).map((stream) => [stream.ordinal, stream]),
    );
  }

  write(entries: readonly LogEntry[]): string {
    let text = "";
    for (const entry of entries) {
      const written = this.#streams.get(entry.ordinal)!;
      text += entry.kind === "line" ? this.#line(entry, written.head) : gapLine(entry, written.stream);
      if (this.#truncated.size > 0) text += this.#truncation(entry);
    }
    return text;
  }

  /** The truncations that stand behind no line. */
  end(): string {
    return Array.from(this.#truncated.values(), truncationLine).join("");
  }

  #line({ seq, time, level, standardStream, unfinished, bytes }: LogLine, head: string): string {
    const { line, base64 } = lineText(bytes);
    const tail = `${base64 === null ? "" : `,"base64":"${base64}"`}${unfinished ? ',"unfinished":true' : ""}}\n`;
    return `${head}${seq},"time":"${this.#time.format(time)}","level":${quoted(level)},"stream":${quoted(standardStream)},"line":${JSON.stringify(line)}${tail}`;
  }

  /** Behind a stream's last line, or behind the gap at its end. */
  #truncation({ ordinal, seq, kind }: LogEntry): string {
    const stream = this.#truncated.get(ordinal);
    if (stream === undefined) return "";
    const isLast = kind === "line" ? stream.gaps === 0 && seq === stream.lines - 1 : seq === stream.lines;
    if (!isLast) return "";
    this.#truncated.delete(ordinal);
    return truncationLine(stream);
  }
}

/** The fields before the value of `seq`. */
function headOf(stream: LogStream): string {
  return `${JSON.stringify(originOf(stream)).slice(0, -1)},"seq":`;
}

function gapLine(entry: Extract<LogEntry, { kind: "gap" }>, stream: LogStream): string {
  const { reason, certain, from, until, text, seq } = toGapItem(entry, stream);
  return `${JSON.stringify({ ...originOf(stream), seq, gap: { reason, certain, from, until, text } })}\n`;
}

function truncationLine(stream: LogStream): string {
  const { seq, reason } = toTruncationItem(stream);
  return `${JSON.stringify({ ...originOf(stream), seq, truncated: reason })}\n`;
}

function quoted(word: string | null): string {
  return word === null ? "null" : `"${word}"`;
}
