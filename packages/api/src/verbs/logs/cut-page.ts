import type { LogPage, LogPageQuery, LogPlace, LogReader, LogStream } from "@tailrace/core";

/** The place of the first lines whose stream has reached a time. */
export async function placeAt(
  store: Pick<LogReader, "readLogPage">,
  query: LogPageQuery,
  time: bigint,
  signal: AbortSignal,
): Promise<LogPlace> {
  // From the time to the time: nothing is looked at.
  const page = await store.readLogPage({ ...query, start: { time }, until: time, direction: "forward" }, signal);
  return page.start;
}

/** Leaves out of a page read `backward` what is before a place. */
export function cutPage(page: LogPage, streams: readonly LogStream[], place: LogPlace): LogPage {
  const before = (ordinal: number): number => place[ordinal] ?? 0;
  const atEnd = streams.every(({ ordinal }) => page.start[ordinal]! <= before(ordinal));
  return {
    ...page,
    entries: page.entries.filter(({ ordinal, seq }) => seq >= before(ordinal)),
    start: page.start.map((seq, ordinal) => Math.max(seq, before(ordinal))),
    complete: page.complete || atEnd,
    atEnd,
  };
}
