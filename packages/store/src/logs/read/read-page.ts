import {
  dividingTime,
  TailraceError,
  type LineKey,
  type LogPage,
  type LogPageQuery,
  type LogPlace,
} from "@tailrace/core";
import type pg from "pg";
import type { ScanFilter } from "../scan/line-filter.ts";
import type { ScanPool } from "../scan/scan-pool.ts";
import { checkFilter, passesAll } from "./check-filter.ts";
import type { ChunkCache } from "./chunk-cache.ts";
import { ChunkOrder, type Direction, type LoadPlaces } from "./chunk-order.ts";
import { listChunkPlaces } from "./chunk-places.ts";
import { findMatches, type FoundMatches } from "./find-matches.ts";
import { readLiveStreams, type LiveStream } from "./live-streams.ts";
import type { Match } from "./match-list.ts";
import { findContext } from "./page-context.ts";
import { readEntries, type PagePart } from "./page-entries.ts";
import { readUnfiltered } from "./read-unfiltered.ts";
import { Scanner } from "./scanner.ts";
import { seqsAtTimes } from "./seq-at-time.ts";
import { inSnapshot } from "./snapshot.ts";
import { clamp, type Window } from "./windows.ts";

/** What a page may cost and be. */
export interface PageLimits {
  /** After this no more chunks are scanned, in milliseconds. */
  timeMs: number;
  /** Bytes of lines that are scanned. */
  scannedBytes: number;
  /** Bytes of lines that are shown. */
  shownBytes: number;
}

export interface ReadPageDeps {
  pool: pg.Pool;
  scans: ScanPool;
  chunks: ChunkCache;
  limits: PageLimits;
}

const MAX_MATCHES = 10_000;
const MAX_CONTEXT = 100;

/** @throws TailraceError BAD_REQUEST for a pattern, a limit or context out of bounds */
export async function readLogPage(deps: ReadPageDeps, query: LogPageQuery, signal: AbortSignal): Promise<LogPage> {
  const filter = checkFilter(query.filter);
  checkNumber("limit", query.limit, 1, MAX_MATCHES);
  checkNumber("before", query.before, 0, MAX_CONTEXT);
  checkNumber("after", query.after, 0, MAX_CONTEXT);
  return await inSnapshot(deps.pool, (client) => readIn(client, deps, { ...query, scan: filter }, signal));
}

type Query = LogPageQuery & { scan: ScanFilter };

async function readIn(
  client: pg.ClientBase,
  { scans, chunks, limits }: ReadPageDeps,
  query: Query,
  signal: AbortSignal,
): Promise<LogPage> {
  const { direction, limit, scan } = query;
  const streams = await readLiveStreams(client, query.streams);
  const windows = await windowsOf(client, streams, query, chunks);
  const load: LoadPlaces = (wanted, options) => listChunkPlaces(client, wanted, { ...options, levels: scan.levels });
  if (passesAll(scan)) {
    const wanted = { direction, limits: { lines: limit, bytes: limits.shownBytes } };
    const { parts, entries, cut } = await readUnfiltered(client, windows, wanted, { load, chunks, signal });
    return { entries, ...describe(query, windows, parts, !cut) };
  }
  const scanner = new Scanner(client, scans, scan);
  let found = await findMatches(await ChunkOrder.open(windows, direction, load), scanner, {
    direction,
    limits: { matches: limit, bytes: limits.shownBytes },
    budget: { bytes: limits.scannedBytes, deadline: performance.now() + limits.timeMs },
    signal,
  });
  for (;;) {
    const parts = await partsOf(client, windows, found, query, { scanner, load, chunks, signal });
    const few = found.matches.length <= 1;
    // Half as much again for context; with more of it the page has fewer matches.
    const entries = await readEntries(client, parts, few ? Infinity : limits.shownBytes * 1.5);
    const complete = found.reached.at !== "budget" && !found.cut;
    if (entries !== null) return { entries, ...describe(query, windows, parts, complete) };
    found = fewer(found);
  }
}

/** What of each stream may come on the page, by where it begins and by `until`. */
async function windowsOf(
  client: pg.ClientBase,
  streams: readonly LiveStream[],
  query: Query,
  chunks: ChunkCache,
): Promise<Window[]> {
  const whole = streams.map((stream): Window => ({ stream, from: 0, until: stream.end }));
  const { start, until, direction } = query;
  const atTime = (time: bigint): Promise<number[]> =>
    seqsAtTimes(
      client,
      whole.map((window) => ({ ...window, time })),
      chunks,
    );
  const ends = until === null ? streams.map(({ end }) => end) : await atTime(until);
  let starts: number[];
  if (start === "begin") starts = streams.map(() => 0);
  else if (start === "end") starts = streams.map(({ end }) => end);
  else if ("time" in start) starts = await atTime(start.time);
  else starts = streams.map(({ ordinal, end }) => clamp(start.place[ordinal] ?? 0, 0, end));
  return streams.map((stream, index) => {
    const [from, end] = [starts[index]!, ends[index]!];
    return direction === "forward"
      ? { stream, from, until: Math.max(from, end) }
      : { stream, from: 0, until: Math.min(from, end) };
  });
}

async function partsOf(
  client: pg.ClientBase,
  windows: readonly Window[],
  { matches, reached }: FoundMatches,
  { direction, before, after }: Query,
  deps: { scanner: Scanner; load: LoadPlaces; chunks: ChunkCache; signal: AbortSignal },
): Promise<PagePart[]> {
  const bounds = reached.at === "end" ? windows : await divide(client, windows, reached, direction, deps.chunks);
  const matched = bounds.map((window, index) => ({
    ...window,
    matches: seqsOf(matches, window.stream.ordinal),
    end: windows[index]!.until,
  }));
  if (before + after === 0) return matched.map((window) => ({ ...window, context: [] }));
  const contexts = await findContext(matched, { before, after, direction }, deps);
  return matched.map((window, index) => {
    const { lines, from, until } = contexts[index]!;
    return { ...window, from, until, context: lines };
  });
}

function seqsOf(matches: readonly Match[], ordinal: number): number[] {
  return matches
    .filter((match) => match.ordinal === ordinal)
    .map(({ seq }) => seq)
    .sort((a, b) => a - b);
}

/** Cuts the windows at a key: what was looked at remains, with the key's own line where that is a match. */
async function divide(
  client: pg.ClientBase,
  windows: readonly Window[],
  reached: { at: "match" | "budget"; key: LineKey },
  direction: Direction,
  chunks: ChunkCache,
): Promise<Window[]> {
  const { at, key } = reached;
  const times = windows.map((window) => ({ ...window, time: dividingTime(key, window.stream.ordinal) }));
  const others = times.filter(({ stream }) => stream.ordinal !== key.ordinal);
  const seqs = new Map(
    (await seqsAtTimes(client, others, chunks)).map((seq, index) => [others[index]!.stream.ordinal, seq]),
  );
  seqs.set(key.ordinal, (direction === "forward") === (at === "match") ? key.seq + 1 : key.seq);
  return windows.map((window) => {
    const seq = clamp(seqs.get(window.stream.ordinal)!, window.from, window.until);
    return direction === "forward" ? { ...window, until: seq } : { ...window, from: seq };
  });
}

/** Fewer matches, for a page that would be too large. */
function fewer({ matches }: FoundMatches): FoundMatches {
  const kept = matches.slice(0, Math.ceil(matches.length / 4));
  return { matches: kept, reached: { at: "match", key: kept.at(-1)! }, cut: true };
}

function describe(
  { start, direction, streams }: Query,
  windows: readonly Window[],
  parts: readonly Window[],
  complete: boolean,
): Omit<LogPage, "entries"> {
  const given = typeof start === "object" && "place" in start ? start.place : [];
  const size = Math.max(given.length, ...streams.map(({ ordinal }) => ordinal + 1));
  const place = (seqOf: (part: Window) => number): LogPlace => {
    const seqs = Array.from({ length: size }, (_, ordinal) => given[ordinal] ?? 0);
    for (const part of parts) seqs[part.stream.ordinal] = seqOf(part);
    return seqs;
  };
  const from = place((part) => part.from);
  const until = place((part) => part.until);
  return {
    start: from,
    end: until,
    complete,
    atEnd: parts.every((part, index) =>
      direction === "forward" ? part.until >= windows[index]!.until : part.from === 0,
    ),
    scanned: parts.reduce((sum, part, index) => sum + linesBetween(part, windows[index]!, direction), 0),
  };
}

/** Lines of a stream that were looked at. */
function linesBetween({ stream, from, until }: Window, window: Window, direction: Direction): number {
  const [first, end] = direction === "forward" ? [window.from, until] : [from, window.until];
  return Math.max(0, Math.min(end, stream.lines) - first);
}

function checkNumber(path: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const message = `${path} must be an integer from ${least} to ${most}`;
  throw new TailraceError("BAD_REQUEST", message, { issues: [{ path, message }] });
}
