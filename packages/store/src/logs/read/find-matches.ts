import type { LineKey } from "@tailrace/core";
import { compareIn, type ChunkOrder, type Direction, type OrderedChunk } from "./chunk-order.ts";
import { MatchList, type Match, type MatchLimits } from "./match-list.ts";
import type { Scanner } from "./scanner.ts";

/**
 * What one search may cost. One chunk more than there are streams is always scanned: only the first one of a stream may have
 * a key that is below that of its first line, so that the search comes further than where it began.
 */
export interface Budget {
  /** Bytes of lines. */
  bytes: number;
  /** By `performance.now()`. */
  deadline: number;
}

export interface FoundMatches {
  /** In the direction of reading. */
  matches: readonly Match[];
  /** How far was looked: to the end, to the last match (and no further), or to a key that was not looked at. */
  reached: { at: "end" } | { at: "match"; key: LineKey } | { at: "budget"; key: LineKey };
  /** True when there was no room for the bytes of the next match. */
  cut: boolean;
}

/** Tasks under way at once: the threads scan while the next chunks are read. */
const IN_FLIGHT = 4;
/** Bytes of lines in one task; more only where one chunk has more. */
const TASK_BYTES = 4 * 1024 * 1024;

interface Running {
  bound: LineKey;
  done: Promise<void>;
}

/**
 * Scans chunks in their order, several at once, until the first matches are certain: one is when nothing that comes before
 * it is left to scan.
 */
export async function findMatches(
  order: ChunkOrder,
  scanner: Scanner,
  {
    direction,
    limits,
    budget,
    signal,
  }: { direction: Direction; limits: MatchLimits; budget: Budget; signal: AbortSignal },
): Promise<FoundMatches> {
  const list = new MatchList(direction, limits);
  const running = new Set<Running>();
  const stop = new AbortController();
  const signals = AbortSignal.any([signal, stop.signal]);
  const want = { limit: limits.matches, newest: direction === "backward" };
  let bytes = 0;
  let taken = 0;
  let taskLines = limits.matches;
  const start = async (): Promise<void> => {
    const chunks = await takeChunks(order, list, taskLines);
    taskLines *= 2;
    taken += chunks.length;
    bytes += chunks.reduce((sum, { place }) => sum + place.lineBytes, 0);
    const fetched = await scanner.fetch(chunks);
    const scan = async (): Promise<void> => {
      list.add(await scanner.findMatches(fetched, want, signals));
      running.delete(task);
    };
    const task: Running = { bound: chunks[0]!.key, done: Promise.resolve() };
    running.add(task);
    task.done = scan();
    // Whoever waits for the task hears of it; nobody may.
    task.done.catch(() => undefined);
  };
  try {
    for (;;) {
      signal.throwIfAborted();
      const bound = firstOf(direction, [order.bound, ...Array.from(running, (task) => task.bound)]);
      if (list.isFinal(bound))
        return { matches: list.matches, reached: { at: "match", key: list.matches.at(-1)! }, cut: list.cut };
      if (bound === null) return { matches: list.matches, reached: { at: "end" }, cut: false };
      const spent = taken > order.streams && (bytes >= budget.bytes || performance.now() >= budget.deadline);
      const wanted = order.bound !== null && !list.isFinal(order.bound);
      if (wanted && !spent && running.size < IN_FLIGHT) await start();
      else if (running.size > 0) await Promise.race(Array.from(running, (task) => task.done));
      else {
        list.dropFrom(bound);
        return { matches: list.matches, reached: { at: "budget", key: bound }, cut: false };
      }
    }
  } finally {
    stop.abort();
  }
}

/** As many chunks as have about so many lines, and are one task's work. */
async function takeChunks(order: ChunkOrder, list: MatchList, lines: number): Promise<OrderedChunk[]> {
  const chunks: OrderedChunk[] = [];
  let taken = 0;
  let bytes = 0;
  while (taken < lines && bytes < TASK_BYTES && order.bound !== null && !list.isFinal(order.bound)) {
    const chunk = (await order.next())!;
    chunks.push(chunk);
    taken += chunk.range.until - chunk.range.from;
    bytes += chunk.place.lineBytes;
  }
  return chunks;
}

function firstOf(direction: Direction, keys: readonly (LineKey | null)[]): LineKey | null {
  return keys.reduce((first, key) => {
    if (key === null || first === null) return first ?? key;
    return compareIn(direction, key, first) < 0 ? key : first;
  }, null);
}
