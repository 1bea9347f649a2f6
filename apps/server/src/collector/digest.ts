import { createHash, type Hash } from "node:crypto";
import { ChunkLines, UNFINISHED, type Chunk } from "@tailrace/core";

/** What a stream's lines add up to. */
export interface Digest {
  lines: number;
  /** What the container wrote, in bytes. */
  bytes: number;
  sha256: string;
}

/** Adds up lines: their bytes, and a newline for each that had one. */
export class OutputDigest {
  readonly #hash: Hash = createHash("sha256");
  #lines = 0;
  #bytes = 0;

  get lines(): number {
    return this.#lines;
  }

  /** @param skip - how many of the chunk's first lines do not count */
  add(chunk: Chunk, skip = 0): this {
    this.#lines += chunk.lines - skip;
    if (skip === 0 && !hasUnfinished(chunk)) {
      this.#update(chunk.payload.subarray(0, chunk.lineBytes));
      return this;
    }
    for (const lines = new ChunkLines(chunk); lines.next();) {
      if (lines.index < skip) continue;
      const end = (lines.flags & UNFINISHED) === 0 ? lines.end + 1 : lines.end;
      this.#update(chunk.payload.subarray(lines.start, end));
    }
    return this;
  }

  result(): Digest {
    return { lines: this.#lines, bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }

  #update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }
}

/** Each line is followed by a newline in the chunk, whether it had one or not. */
function hasUnfinished({ outputBytes, lineBytes }: Chunk): boolean {
  return outputBytes !== lineBytes;
}
