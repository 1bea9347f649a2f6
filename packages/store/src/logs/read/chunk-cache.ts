import type pg from "pg";
import { openStoredChunk } from "../codec.ts";
import { fetchChunks } from "./fetch-chunks.ts";
import type { LiveStream } from "./live-streams.ts";
import { OpenChunk } from "./open-chunk.ts";

/** A chunk as it was listed. */
export interface WantedChunk {
  stream: LiveStream;
  place: { firstSeq: number; lines: number };
}

const DEFAULT_BYTES = 32 * 1024 * 1024;

/**
 * The chunks that readers have last had, decompressed: who reads on, and who reads the same as others, finds them here.
 * What is stored as these lines of a stream never changes, so that nothing here is ever out of date.
 */
export class ChunkCache {
  readonly #maxBytes: number;
  /** Those that were wanted last at the end. */
  readonly #chunks = new Map<string, OpenChunk>();
  #bytes = 0;

  /** @param maxBytes - of all; one chunk is kept whatever its size */
  constructor(maxBytes = DEFAULT_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Chunks of one day, in the order in which they are wanted. @throws ChunkError */
  async open(client: pg.ClientBase, wanted: readonly WantedChunk[]): Promise<OpenChunk[]> {
    // Held here from now on: other readers may push them out while this one waits.
    const found = wanted.map((each) => this.#chunks.get(keyOf(each)));
    const missing = wanted.filter((_, index) => found[index] === undefined);
    const opened = (await this.#fetch(client, missing)).values();
    return wanted.map((each, index) => {
      const chunk = found[index] ?? opened.next().value!;
      this.#keep(keyOf(each), chunk);
      return chunk;
    });
  }

  async #fetch(client: pg.ClientBase, wanted: readonly WantedChunk[]): Promise<OpenChunk[]> {
    const keys = wanted.map(({ stream, place }) => ({ stream, firstSeq: place.firstSeq }));
    const stored = await fetchChunks(client, keys);
    return await Promise.all(stored.map(async (chunk) => new OpenChunk(await openStoredChunk(chunk))));
  }

  #keep(key: string, chunk: OpenChunk): void {
    this.#drop(key);
    this.#chunks.set(key, chunk);
    this.#bytes += chunk.size;
    for (const oldest of this.#chunks.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === key) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#chunks.get(key)?.size ?? 0;
    this.#chunks.delete(key);
  }
}

function keyOf({ stream, place }: WantedChunk): string {
  return `${stream.id}/${place.firstSeq}/${place.lines}`;
}
