import type { LogEntry, LogPage, LogPageQuery, LogReader } from "@tailrace/core";

/** The most that a page has, in bytes of lines; one line is shown whatever its size. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** A page of at most {@link MAX_PAGE_BYTES}: where its lines are larger it has fewer of them, and is not complete. */
export async function readPage(
  store: Pick<LogReader, "readLogPage">,
  query: LogPageQuery,
  signal: AbortSignal,
): Promise<LogPage> {
  let { limit } = query;
  for (;;) {
    const page = await store.readLogPage({ ...query, limit }, signal);
    const complete = page.complete && limit === query.limit;
    if (sizeOf(page.entries) <= MAX_PAGE_BYTES) return { ...page, complete };
    const matches = page.entries.filter(isMatch).length;
    // Context beside one match is left out where there is too much of it.
    if (matches <= 1) return { ...page, complete, entries: page.entries.filter((entry) => !isContext(entry)) };
    // Asked again, because what context goes with which match is the store's to say.
    limit = Math.min(matches - 1, Math.max(1, countFitting(page.entries, query.direction)));
  }
}

/** How many matches, in the direction of reading, there is room for. */
function countFitting(entries: readonly LogEntry[], direction: LogPageQuery["direction"]): number {
  let bytes = 0;
  let matches = 0;
  for (const entry of direction === "forward" ? entries : entries.toReversed()) {
    bytes += bytesOf(entry);
    if (bytes > MAX_PAGE_BYTES) break;
    if (isMatch(entry)) matches += 1;
  }
  return matches;
}

function sizeOf(entries: readonly LogEntry[]): number {
  return entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
}

function bytesOf(entry: LogEntry): number {
  return entry.kind === "line" ? entry.bytes.length : 0;
}

function isMatch(entry: LogEntry): boolean {
  return entry.kind === "line" && !entry.context;
}

function isContext(entry: LogEntry): boolean {
  return entry.kind === "line" && entry.context;
}
