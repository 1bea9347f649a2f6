import { type LogPageQuery, type LogPlace, type LogStream, type LogPage as StoredPage, isEnded } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import { type ApiContext, type Call, NEVER } from "../../context.ts";
import type { LogItem } from "../../logs/items.ts";
import { toLogFilter, withOwnFields } from "../../logs/line-filter.ts";
import { readCursor, writeCursor } from "../../logs/page-cursor.ts";
import { toItems } from "../../logs/page-items.ts";
import { selectStreams } from "../../logs/select-streams.ts";
import { noteTruncations } from "../../logs/truncations.ts";
import type { logsPage } from "../../schemas/logs.ts";
import { cutPage, placeAt } from "./cut-page.ts";
import { findStreams } from "./find-streams.ts";
import { readPage } from "./read-page.ts";

/** Lines of several containers in one order, which is the same wherever a page begins; gaps and truncations among them. */
export interface LogPage {
  items: LogItem[];
  /** Where a page `forward` goes on behind this one; null where nothing can come: the run has ended and this is its end. */
  nextCursor: string | null;
  /** Where a page `backward` goes on before this one; null where nothing can be there. */
  previousCursor: string | null;
  /** False when the page ended before its limit, because looking for matches took too long or their lines are too large. */
  complete: boolean;
  /** Lines looked at. */
  scanned: number;
}

type Input = z.output<typeof logsPage>;

/**
 * A cursor says where the page begins (`forward`, else at `from`) or ends (`backward`, else before `until`). It goes with
 * the selection it was made for: of other containers it stands at the first line.
 *
 * @throws TailraceError BAD_REQUEST for a cursor of another run, for a pattern that can't be searched for, and where more
 * containers are being read at once than a cursor can stand for
 */
export async function pageLogs({ ctx, input, signal = NEVER }: Call<Input>): Promise<LogPage> {
  const { teamId, runId, direction } = input;
  await requireRole(ctx, teamId, "viewer");
  const all = await findStreams(ctx, teamId, runId);
  const run = { runId, streams: all };
  const streams = selectStreams(all, input, runId);
  const place = input.cursor === undefined ? null : readCursor(input.cursor, run);
  const page = await withOwnFields(input, readBetween(ctx, input, toQuery(input, streams, place), signal));
  const origin = place === null ? (timeOf(input) === undefined ? "edge" : "time") : { place };
  const { truncated, start, end } = noteTruncations(streams, page, { direction, origin });
  const endsBefore = direction === "backward" ? page.atEnd : streams.every(({ ordinal }) => start[ordinal] === 0);
  const endsBehind = direction === "forward" ? page.atEnd : origin === "edge" || isBehind(streams, end);
  return {
    items: toItems(page.entries, truncated, all),
    nextCursor: endsBehind && (await isOver(ctx, input, all)) ? null : writeCursor(end, run),
    previousCursor: endsBefore ? null : writeCursor(start, run),
    complete: page.complete,
    scanned: page.scanned,
  };
}

/** Where a page begins, or ends, that no cursor is given for. */
function timeOf({ direction, from, until }: Input): bigint | undefined {
  return direction === "forward" ? from : until;
}

function toQuery(input: Input, streams: readonly LogStream[], place: LogPlace | null): LogPageQuery {
  const { direction, until, limit, before, after } = input;
  const time = timeOf(input);
  const edge = direction === "forward" ? "begin" : "end";
  return {
    streams,
    filter: toLogFilter(input),
    start: place !== null ? { place } : time !== undefined ? { time } : edge,
    direction,
    until: until ?? null,
    limit,
    before,
    after,
  };
}

/** The store ends a page at `until`, and one that is read backward not at `from`. */
async function readBetween(
  ctx: ApiContext,
  { direction, from }: Input,
  query: LogPageQuery,
  signal: AbortSignal,
): Promise<StoredPage> {
  const page = await readPage(ctx.store, query, signal);
  if (direction === "forward" || from === undefined) return page;
  return cutPage(page, query.streams, await placeAt(ctx.store, query, from, signal));
}

/** True for a place that nothing of sealed streams is behind. */
function isBehind(streams: readonly LogStream[], place: LogPlace): boolean {
  return streams.every(({ ordinal, lines, gaps, truncated }) => {
    const last = truncated !== null ? lines + 2 : gaps > 0 ? lines + 1 : lines;
    return place[ordinal]! >= last;
  });
}

/** True when nothing is added to the run's logs any more, and all streams are known. */
async function isOver(ctx: ApiContext, { teamId, runId }: Input, streams: readonly LogStream[]): Promise<boolean> {
  if (!streams.every(({ sealed }) => sealed)) return false;
  const run = await ctx.store.getRun(teamId, runId);
  if (run === null || !isEnded(run.status)) return false;
  // One may have begun, and the run ended, since they were listed.
  return (await ctx.store.listLogStreams(teamId, runId))?.length === streams.length;
}
