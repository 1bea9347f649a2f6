import type { LogPage, LogPlace, LogStream } from "@tailrace/core";

/** Where a page began (`forward`) or ended (`backward`): at a place, at a time, or at the first or last line of all. */
export type PageOrigin = { place: LogPlace } | "time" | "edge";

export interface NotedPage {
  /** The truncated streams whose end is on the page. */
  truncated: LogStream[];
  start: LogPlace;
  end: LogPlace;
}

/** Where one stream is, and whether its end is on the page. */
interface Noted {
  start: number;
  end: number;
  reached: boolean;
}

/**
 * Finds the truncated streams whose end a page has reached. Each is on one page of a reader that goes one way: behind the
 * note of its truncation a stream stands two behind its last line, one more than behind a gap at its end.
 *
 * @param streams - those that the page is made of
 */
export function noteTruncations(
  streams: readonly LogStream[],
  page: Pick<LogPage, "start" | "end" | "atEnd">,
  { direction, origin }: { direction: "forward" | "backward"; origin: PageOrigin },
): NotedPage {
  const noted: NotedPage = { truncated: [], start: page.start, end: page.end };
  for (const stream of streams) {
    if (!stream.sealed || stream.truncated === null) continue;
    const note = direction === "forward" ? noteForward : noteBackward;
    const { start, end, reached } = note(stream, page, origin);
    if (reached) noted.truncated.push(stream);
    noted.start = noted.start.with(stream.ordinal, start);
    noted.end = noted.end.with(stream.ordinal, end);
  }
  return noted;
}

function noteForward(stream: LogStream, page: Pick<LogPage, "start" | "end" | "atEnd">, origin: PageOrigin): Noted {
  const { ordinal, lines } = stream;
  const [start, end] = [page.start[ordinal]!, page.end[ordinal]!];
  const behind = lines + 2;
  // Of a stream whose lines are all before the time, the end is too.
  const past = typeof origin === "object" ? origin.place[ordinal] === behind : start > 0 && start >= lines;
  if (past) return { start: behind, end: behind, reached: false };
  // A gap at the stream's end may still be to come where its last line was reached.
  const reached = end > lines || (end === lines && (stream.gaps === 0 || page.atEnd));
  return { start, end: reached ? behind : end, reached };
}

function noteBackward(stream: LogStream, page: Pick<LogPage, "start" | "end">, origin: PageOrigin): Noted {
  const { ordinal, lines } = stream;
  const [start, end] = [page.start[ordinal]!, page.end[ordinal]!];
  const behind = lines + 2;
  const past = typeof origin === "object" ? origin.place[ordinal] === behind : origin === "edge" || end >= lines;
  if (!past) return { start, end, reached: false };
  const reached = start < end || end === 0;
  return { start: reached ? start : behind, end: behind, reached };
}
