import { contextReach, pageContext, type Context } from "@tailrace/core";
import { ChunkOrder, type Direction, type LoadPlaces, type OrderedChunk } from "./chunk-order.ts";
import type { LiveStream } from "./live-streams.ts";
import type { Scanner } from "./scanner.ts";
import type { Window } from "./windows.ts";

/** Bytes of lines that are scanned in one go. */
const TASK_BYTES = 1024 * 1024;

/** A stream's part of a page, and its matches there. */
export interface MatchedWindow extends Window {
  /** Ascending. */
  matches: readonly number[];
  /** From this seq on nothing is shown. */
  end: number;
}

interface SearchDeps {
  scanner: Scanner;
  load: LoadPlaces;
  signal: AbortSignal;
}

/** The lines around the matches of each window that this page shows. */
export async function findContext(
  windows: readonly MatchedWindow[],
  { before, after, direction }: { before: number; after: number; direction: Direction },
  deps: SearchDeps,
): Promise<Context[]> {
  const questions = windows.map(({ stream, from, until, matches, end }) => {
    const lines = Math.min(end, stream.lines);
    return { matches, before, after, from: Math.min(from, lines), until: Math.min(until, lines), lines };
  });
  const reach = questions.map((question) => contextReach(question, direction));
  const earlier = await matchesIn(
    windows.map(({ stream }, index) => ({ stream, ...reach[index]!.earlier })),
    deps,
  );
  const later = await matchesIn(
    windows.map(({ stream }, index) => ({ stream, ...reach[index]!.later })),
    deps,
  );
  return questions.map((question, index) => {
    const { stream, from, until } = windows[index]!;
    const others = [...(earlier.get(stream) ?? []), ...(later.get(stream) ?? [])];
    const context = pageContext({ ...question, others }, direction);
    // A place behind a gap at the stream's end, where no line is, stays there.
    return {
      ...context,
      from: context.from < question.from ? context.from : from,
      until: context.until > question.until ? context.until : until,
    };
  });
}

/** All matches in small parts of streams, ascending. */
async function matchesIn(
  windows: readonly Window[],
  { scanner, load, signal }: SearchDeps,
): Promise<Map<LiveStream, number[]>> {
  const order = await ChunkOrder.open(windows, "forward", load);
  const seqs = new Map<LiveStream, number[]>(windows.map(({ stream }) => [stream, []]));
  while (order.bound !== null) {
    const chunks: OrderedChunk[] = [];
    for (let bytes = 0; bytes < TASK_BYTES && order.bound !== null; bytes += chunks.at(-1)!.place.lineBytes)
      chunks.push((await order.next())!);
    const matches = await scanner.findMatches(await scanner.fetch(chunks), { limit: Infinity, newest: false }, signal);
    const streams = new Map(chunks.map(({ stream }) => [stream.ordinal, stream]));
    for (const { ordinal, seq } of matches) seqs.get(streams.get(ordinal)!)!.push(seq);
  }
  return seqs;
}
