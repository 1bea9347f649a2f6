import { compareKeys, firstKey, lastKey, type LineKey } from "@tailrace/core";
import type { SeqRange } from "@tailrace/core";
import type { ChunkPlace, PlaceOptions } from "./chunk-places.ts";
import { clamp, type Window } from "./windows.ts";
import type { LiveStream } from "./live-streams.ts";

/** Reads `forward` from the oldest line, `backward` from the newest. */
export type Direction = "forward" | "backward";

export interface OrderedChunk {
  stream: LiveStream;
  place: ChunkPlace;
  /** Nothing that is in the chunk comes before it in the direction of reading. */
  key: LineKey;
  /** Its lines that are in the window. */
  range: SeqRange;
}

export type LoadPlaces = (
  windows: readonly Window[],
  options: Omit<PlaceOptions, "levels">,
) => Promise<Map<number, ChunkPlace[]>>;

/** How many chunks of a stream are known in advance: few at first, since often no other is wanted. */
const FIRST_LIMIT = 16;
const NEXT_LIMIT = 512;

interface Queue {
  /** What has not been loaded yet. */
  rest: Window | null;
  chunks: OrderedChunk[];
}

/**
 * The chunks of several streams in the order of their first keys, or backward in that of their last keys, the greatest
 * first. A stream's chunks never overlap in this order; those of two streams may.
 */
export class ChunkOrder {
  readonly #direction: Direction;
  readonly #load: LoadPlaces;
  readonly #queues: Queue[];

  private constructor(queues: Queue[], direction: Direction, load: LoadPlaces) {
    this.#queues = queues;
    this.#direction = direction;
    this.#load = load;
  }

  static async open(windows: readonly Window[], direction: Direction, load: LoadPlaces): Promise<ChunkOrder> {
    const queues = windows.filter(({ from, until }) => from < until).map((rest): Queue => ({ rest, chunks: [] }));
    const order = new ChunkOrder(queues, direction, load);
    await order.#fill(queues, FIRST_LIMIT);
    return order;
  }

  /** How many streams there are. */
  get streams(): number {
    return this.#queues.length;
  }

  /** The key of the next chunk; null when there is none. */
  get bound(): LineKey | null {
    return this.#first()?.chunks[0]?.key ?? null;
  }

  /** The next chunk of each stream that has one. */
  get firsts(): OrderedChunk[] {
    return this.#queues.flatMap(({ chunks }) => chunks.slice(0, 1));
  }

  async next(): Promise<OrderedChunk | null> {
    const queue = this.#first();
    const chunk = queue?.chunks.shift();
    if (queue === undefined || chunk === undefined) return null;
    if (queue.chunks.length === 0 && queue.rest !== null) await this.#fill([queue], NEXT_LIMIT);
    return chunk;
  }

  #first(): Queue | undefined {
    let first: Queue | undefined;
    for (const queue of this.#queues) {
      const key = queue.chunks[0]?.key;
      if (key === undefined) continue;
      const other = first?.chunks[0]?.key;
      if (other === undefined || compareIn(this.#direction, key, other) < 0) first = queue;
    }
    return first;
  }

  async #fill(queues: readonly Queue[], limit: number): Promise<void> {
    const newestFirst = this.#direction === "backward";
    const windows = queues.flatMap(({ rest }) => (rest === null ? [] : [rest]));
    const loaded = await this.#load(windows, { newestFirst, limit });
    for (const queue of queues) {
      const { rest } = queue;
      if (rest === null) continue;
      const places = loaded.get(rest.stream.id) ?? [];
      queue.chunks.push(...places.map((place) => toOrdered(rest, place, this.#direction)));
      const last = places.at(-1);
      if (last === undefined || places.length < limit) queue.rest = null;
      else if (newestFirst) queue.rest = { ...rest, until: last.firstSeq };
      else queue.rest = { ...rest, from: last.firstSeq + last.lines };
    }
  }
}

/** Negative where `a` comes first in the direction of reading. */
export function compareIn(direction: Direction, a: LineKey, b: LineKey): number {
  return direction === "forward" ? compareKeys(a, b) : compareKeys(b, a);
}

function toOrdered({ stream, from, until }: Window, place: ChunkPlace, direction: Direction): OrderedChunk {
  const end = place.firstSeq + place.lines;
  const range = { from: clamp(from, place.firstSeq, end), until: clamp(until, place.firstSeq, end) };
  const whole = direction === "forward" ? firstKey(stream.ordinal, place) : lastKey(stream.ordinal, place);
  // A window may begin or end within the chunk: the key's time still bounds it, and its seq is known better.
  const seq = direction === "forward" ? range.from : range.until - 1;
  return { stream, place, key: { ...whole, seq }, range };
}
