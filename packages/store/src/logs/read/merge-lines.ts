import { firstKey, lastKey, type LineKey, type LogLine } from "@tailrace/core";
import { compareIn, type ChunkOrder, type Direction, type OrderedChunk } from "./chunk-order.ts";
import { insertInOrder } from "./insert-in-order.ts";
import type { OpenChunk } from "./open-chunk.ts";

/** Bytes of lines in the chunks that are opened at once; more only where one chunk has more. */
const BATCH_BYTES = 8 * 1024 * 1024;

export interface MergedLines {
  /** In the direction of reading; their bytes are in their chunks' memory. */
  lines: LogLine[];
  /** For each line the greatest time that its stream has had up to it. */
  maxima: bigint[];
  /** By a stream's ordinal the seq of the next line in the direction of reading; none for a stream without one. */
  next: Map<number, number>;
  /** True when there was no room for the bytes of the next line. */
  cut: boolean;
}

export interface MergeOptions {
  direction: Direction;
  /** At most so many lines, and bytes of lines; one line is taken whatever its size. */
  limits: { lines: number; bytes: number };
  open: (chunks: readonly OrderedChunk[]) => Promise<OpenChunk[]>;
  signal: AbortSignal;
}

/** The first lines of chunks, by their keys. A chunk is opened when nothing that is open comes before it for certain. */
export async function mergeLines(order: ChunkOrder, options: MergeOptions): Promise<MergedLines> {
  const { direction, limits, open, signal } = options;
  const comesBefore = (a: LineKey, b: LineKey | null): boolean => b === null || compareIn(direction, a, b) < 0;
  const walks: Walk[] = [];
  const insert = (walk: Walk): void => insertInOrder(walks, walk, comesBefore);
  const lines: LogLine[] = [];
  const maxima: bigint[] = [];
  let bytes = 0;
  const result = (cut: boolean): MergedLines => ({ lines, maxima, next: nextLines(order, walks), cut });
  for (;;) {
    signal.throwIfAborted();
    if (lines.length === limits.lines) return result(false);
    const { bound } = order;
    const walk = walks[0];
    if (bound !== null && (walk === undefined || comesBefore(bound, walk))) {
      const chunks = await takeChunks(order, direction, limits.lines - lines.length);
      for (const [index, chunk] of (await open(chunks)).entries()) insert(new Walk(chunks[index]!, chunk, direction));
      continue;
    }
    if (walk === undefined) return result(false);
    walks.shift();
    const stop = walks[0] === undefined || (bound !== null && comesBefore(bound, walks[0])) ? bound : walks[0];
    while (!walk.ended && lines.length < limits.lines && comesBefore(walk, stop)) {
      const line = walk.line();
      if (bytes + line.bytes.length > limits.bytes && lines.length > 0) {
        insert(walk);
        return result(true);
      }
      bytes += line.bytes.length;
      lines.push(line);
      maxima.push(walk.time);
      walk.advance();
    }
    if (!walk.ended) insert(walk);
  }
}

/** Goes along the wanted lines of an open chunk; its key is that of the next one, and means nothing when it has ended. */
class Walk implements LineKey {
  readonly ordinal: number;
  time: bigint;
  readonly #chunk: OpenChunk;
  readonly #step: 1 | -1;
  readonly #end: number;
  #index: number;

  constructor({ stream, range }: OrderedChunk, chunk: OpenChunk, direction: Direction) {
    const [first, last] = [range.from - chunk.firstSeq, range.until - 1 - chunk.firstSeq];
    this.#chunk = chunk;
    this.ordinal = stream.ordinal;
    this.#step = direction === "forward" ? 1 : -1;
    this.#index = direction === "forward" ? first : last;
    this.#end = direction === "forward" ? last + 1 : first - 1;
    this.time = chunk.maximum(this.#index);
  }

  get seq(): number {
    return this.#chunk.firstSeq + this.#index;
  }

  get ended(): boolean {
    return this.#index === this.#end;
  }

  line(): LogLine {
    return this.#chunk.line(this.#index, this.ordinal);
  }

  advance(): void {
    this.#index += this.#step;
    if (!this.ended) this.time = this.#chunk.maximum(this.#index);
  }
}

/** The next chunk, and those that lines of it will probably be beside before there are enough. */
async function takeChunks(order: ChunkOrder, direction: Direction, wanted: number): Promise<OrderedChunk[]> {
  const chunks: OrderedChunk[] = [];
  let lines = 0;
  let bytes = 0;
  let reach = 0n;
  for (let { bound } = order; bound !== null; { bound } = order) {
    const isNear = direction === "forward" ? bound.time <= reach : bound.time >= reach;
    if (chunks.length > 0 && (bytes >= BATCH_BYTES || (lines >= wanted && !isNear))) break;
    const chunk = (await order.next())!;
    if (chunks.length === 0) reach = reachOf(chunk, direction, wanted);
    chunks.push(chunk);
    lines += chunk.range.until - chunk.range.from;
    bytes += chunk.place.lineBytes;
  }
  return chunks;
}

/** The time of a chunk's last line that is wanted, if they are written evenly. */
function reachOf({ place, key }: OrderedChunk, direction: Direction, wanted: number): bigint {
  const span = lastKey(0, place).time - firstKey(0, place).time;
  const part = (span * BigInt(Math.min(wanted, place.lines))) / BigInt(place.lines);
  return direction === "forward" ? key.time + part : key.time - part;
}

function nextLines(order: ChunkOrder, walks: readonly Walk[]): Map<number, number> {
  const next = new Map<number, number>();
  for (const { stream, key } of order.firsts) next.set(stream.ordinal, key.seq);
  // What is open comes before what is not.
  for (const { ordinal, seq } of walks.toReversed()) next.set(ordinal, seq);
  return next;
}
