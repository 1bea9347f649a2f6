import {
  bucketWidth,
  firstKey,
  levelOfBit,
  TailraceError,
  type LogLevel,
  type LogSearchQuery,
  type LogSearchResult,
} from "@tailrace/core";
import type pg from "pg";
import type { ScanPool } from "../scan/scan-pool.ts";
import type { BucketCounts } from "../scan/scan-task.ts";
import { checkFilter } from "./check-filter.ts";
import type { ChunkCache } from "./chunk-cache.ts";
import { ChunkOrder, type LoadPlaces, type OrderedChunk } from "./chunk-order.ts";
import { listChunkPlaces } from "./chunk-places.ts";
import { readLiveStreams, type LiveStream } from "./live-streams.ts";
import { Scanner, type FetchedChunk } from "./scanner.ts";
import { seqsAtTimes } from "./seq-at-time.ts";
import { inSnapshot } from "./snapshot.ts";
import type { Window } from "./windows.ts";

/** Bytes of lines that are read at once and scanned in one task; more only where one chunk has more. */
const TASK_BYTES = 4 * 1024 * 1024;
/** Tasks under way at once: the threads scan while the next chunks are read. */
const IN_FLIGHT = 4;
/** More are no help to anybody who looks at them. */
const MAX_BUCKETS = 10_000;

export interface SearchDeps {
  pool: pg.Pool;
  scans: ScanPool;
  chunks: ChunkCache;
  /** After this no more chunks are scanned, in milliseconds. */
  timeMs: number;
}

/** @throws TailraceError BAD_REQUEST for a pattern, or buckets that would be too many */
export async function searchLogs(
  deps: SearchDeps,
  query: LogSearchQuery,
  signal: AbortSignal,
): Promise<LogSearchResult> {
  const filter = checkFilter(query.filter);
  return await inSnapshot(deps.pool, async (client) => {
    const streams = await readLiveStreams(client, query.streams);
    const windows = await windowsOf(client, streams, query, deps.chunks);
    const bucketMs = await chooseWidth(client, windows, query);
    const load: LoadPlaces = (wanted, options) =>
      listChunkPlaces(client, wanted, { ...options, levels: filter.levels });
    const order = await ChunkOrder.open(windows, "forward", load);
    const totals = new Totals();
    const deadline = performance.now() + deps.timeMs;
    const scanned = await countAll(order, new Scanner(client, deps.scans, filter), {
      totals,
      bucketMs,
      deadline,
      signal,
    });
    const complete = order.bound === null;
    const all = windows.reduce((sum, { from, until }) => sum + until - from, 0);
    return { ...totals.describe(bucketMs), scanned: complete ? all : scanned, bucketMs, complete };
  });
}

async function windowsOf(
  client: pg.ClientBase,
  streams: readonly LiveStream[],
  { from, until }: LogSearchQuery,
  chunks: ChunkCache,
): Promise<Window[]> {
  const whole = streams.map((stream): Window => ({ stream, from: 0, until: stream.lines }));
  const atTime = (time: bigint): Promise<number[]> =>
    seqsAtTimes(
      client,
      whole.map((window) => ({ ...window, time })),
      chunks,
    );
  const starts = from === null ? null : await atTime(from);
  const ends = until === null ? null : await atTime(until);
  return whole.map(({ stream }, index) => {
    const start = starts?.[index] ?? 0;
    return { stream, from: start, until: Math.max(start, ends?.[index] ?? stream.lines) };
  });
}

async function chooseWidth(client: pg.ClientBase, windows: readonly Window[], query: LogSearchQuery): Promise<number> {
  const filled = windows.filter(({ from, until }) => from < until);
  const places = await listChunkPlaces(client, filled, { levels: -1, newestFirst: false, limit: 1 });
  const firsts = filled.flatMap(({ stream }) => (places.get(stream.id) ?? []).map((place) => firstKey(0, place).time));
  const lasts = filled.map(({ stream }) => stream.maxTime);
  const from = query.from ?? firsts.reduce((least, time) => (time < least ? time : least), firsts[0] ?? 0n);
  const until = query.until ?? lasts.reduce((most, time) => (time > most ? time : most), lasts[0] ?? from);
  const width = query.bucketMs ?? bucketWidth(from, until);
  if (Number.isInteger(width) && width >= 1 && Number(until - from) / 1_000_000 / width <= MAX_BUCKETS) return width;
  const message = `bucketMs must be an integer from 1, and give no more than ${MAX_BUCKETS} buckets`;
  throw new TailraceError("BAD_REQUEST", message, { issues: [{ path: "bucketMs", message }] });
}

/** @returns how many lines were scanned; less than all when the time is over */
async function countAll(
  order: ChunkOrder,
  scanner: Scanner,
  { totals, bucketMs, deadline, signal }: { totals: Totals; bucketMs: number; deadline: number; signal: AbortSignal },
): Promise<number> {
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  const signals = AbortSignal.any([signal, stop.signal]);
  let scanned = 0;
  const count = (chunks: FetchedChunk[]): void => {
    const task = scanner.countMatches(chunks, bucketMs, signals).then((counts) => {
      totals.add(counts);
      running.delete(task);
    });
    running.add(task);
    // Whoever waits for the task hears of it; nobody may.
    task.catch(() => undefined);
  };
  try {
    while (order.bound !== null && performance.now() < deadline) {
      const chunks = await takeChunks(order);
      for (const { range } of chunks) scanned += range.until - range.from;
      count(await scanner.fetch(chunks));
      while (running.size >= IN_FLIGHT) await Promise.race(running);
    }
    await Promise.all(running);
    signal.throwIfAborted();
    return scanned;
  } finally {
    stop.abort();
  }
}

async function takeChunks(order: ChunkOrder): Promise<OrderedChunk[]> {
  const chunks: OrderedChunk[] = [];
  for (let bytes = 0; bytes < TASK_BYTES && order.bound !== null;) {
    const chunk = (await order.next())!;
    chunks.push(chunk);
    bytes += chunk.place.lineBytes;
  }
  return chunks;
}

type LevelCounts = Partial<Record<LogLevel | "none", number>>;

/** What all tasks have counted. */
class Totals {
  #matches = 0;
  readonly #buckets = new Map<number, LevelCounts>();

  add({ buckets, levels, counts }: BucketCounts): void {
    for (const [index, count] of counts.entries()) {
      const bucket = buckets[index]!;
      const level = levelOfBit(levels[index]!) ?? "none";
      const sums = this.#buckets.get(bucket) ?? {};
      sums[level] = (sums[level] ?? 0) + count;
      this.#buckets.set(bucket, sums);
      this.#matches += count;
    }
  }

  describe(bucketMs: number): Pick<LogSearchResult, "matches" | "buckets"> {
    const buckets = [...this.#buckets]
      .toSorted(([a], [b]) => a - b)
      .map(([bucket, levels]) => ({
        time: new Date(bucket * bucketMs).toISOString(),
        matches: Object.values(levels).reduce((sum, count) => sum + count, 0),
        levels,
      }));
    return { matches: this.#matches, buckets };
  }
}
