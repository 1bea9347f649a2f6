import { ChunkBuilder, runningMaximum, fromNanos, type BufferPool, type Chunk, type Gap } from "../../../src/index.ts";

/** What a stream has committed: chunks with their gaps, and what else goes with them. */
export class StreamStore<Position> {
  readonly chunks: Chunk[];
  readonly gaps: Pick<Gap, "seq" | "certain">[];
  position: Position | null = null;
  #pendingGaps: Pick<Gap, "seq" | "certain">[] = [];

  /** @param before - what was stored before, from another source */
  constructor(before: Pick<StreamStore<unknown>, "chunks" | "gaps"> = { chunks: [], gaps: [] }) {
    this.chunks = [...before.chunks];
    this.gaps = [...before.gaps];
  }

  get lines(): number {
    return this.chunks.reduce((sum, { lines }) => sum + lines, 0);
  }

  /** A builder that goes on behind what is committed; gaps that were not committed are forgotten with their lines. */
  builder(pool: BufferPool, standardStreams: boolean): ChunkBuilder {
    this.#pendingGaps = [];
    const last = this.chunks.at(-1);
    const priorTime = last === undefined ? null : fromNanos(runningMaximum(last));
    return new ChunkBuilder(pool, { nextSeq: this.lines, priorTime, standardStreams });
  }

  get gapPending(): boolean {
    return this.#pendingGaps.length > 0;
  }

  /** Lines are missing, or may be, before the line of that number. */
  addGap(seq: number, certain: boolean): void {
    if (!this.#pendingGaps.some((gap) => gap.seq === seq)) this.#pendingGaps.push({ seq, certain });
  }

  commit(builder: ChunkBuilder, position: Position): void {
    const chunk = builder.take();
    // The payload is the pool's memory, which is used again.
    if (chunk !== null) this.chunks.push({ ...chunk, payload: chunk.payload.slice() });
    this.position = position;
    const { lines } = this;
    this.gaps.push(...this.#pendingGaps.filter(({ seq }) => seq < lines));
    this.#pendingGaps = this.#pendingGaps.filter(({ seq }) => seq >= lines);
  }

  /** Also what is missing behind the last line counts. */
  close(): void {
    this.gaps.push(...this.#pendingGaps);
    this.#pendingGaps = [];
  }
}
