import {
  ChunkBuilder,
  fromNanos,
  type BufferPool,
  type Chunk,
  type CommitOutcome,
  type Gap,
  type LogSource,
  type StreamCounts,
  type StreamPosition,
  type StreamRecord,
} from "@tailrace/core";
import { Changes } from "./changes.ts";
import type { Committer } from "./committer.ts";
import type { LineSink } from "./reading.ts";

/** What a gap is before it is known what stands behind it. */
export type OpenGap = Pick<Gap, "reason" | "certain">;

export interface StreamWriterDeps {
  committer: Pick<Committer, "submit">;
  pool: BufferPool;
  /** Told once when another process has the stream. */
  onLost: () => void;
  /** Told of each gap that is put on its way. */
  onGap: (gap: OpenGap) => void;
  /** Told of each chunk that is stored. */
  onStored: (chunk: { fromSeq: number; untilSeq: number; lineBytes: number }) => void;
}

/** Puts the lines of one stream on their way to the store, chunk by chunk, in order. */
export class StreamWriter implements LineSink {
  readonly record: StreamRecord;
  readonly #committer: Pick<Committer, "submit">;
  readonly #pool: BufferPool;
  readonly #onLost: () => void;
  readonly #onGap: (gap: OpenGap) => void;
  readonly #onStored: StreamWriterDeps["onStored"];
  #builder: ChunkBuilder;
  #gap: (OpenGap & { from: bigint | null }) | null = null;
  #judgeStart: (first: Chunk) => (OpenGap & { from: bigint | null }) | null = () => null;
  #submitted: number;
  #stored: number;
  #maxTime: bigint | null;
  #counts: StreamCounts;
  #lost = false;
  #pending = 0;
  #bytes: number;
  #gaps: number;
  readonly #changes = new Changes();

  constructor(record: StreamRecord, deps: StreamWriterDeps) {
    this.record = record;
    this.#committer = deps.committer;
    this.#pool = deps.pool;
    this.#onLost = deps.onLost;
    this.#onGap = deps.onGap;
    this.#onStored = deps.onStored;
    this.#submitted = record.nextSeq;
    this.#bytes = record.bytes;
    this.#gaps = record.gaps;
    this.#stored = record.nextSeq;
    this.#maxTime = record.maxTime;
    this.#counts = record.counts;
    this.#builder = this.#newBuilder(record.position?.source ?? "node");
  }

  /** Where the parsers put lines. */
  get builder(): ChunkBuilder {
    return this.#builder;
  }

  /** The seq of the next line, those in the builder included. */
  get nextSeq(): number {
    return this.#submitted + this.#builder.lines;
  }

  /** The seq behind the last stored line. */
  get storedSeq(): number {
    return this.#stored;
  }

  /** How many bytes of output were put on their way, those included that were stored before. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many gaps were put on their way, those included that were stored before. */
  get gaps(): number {
    return this.#gaps;
  }

  /** The greatest time of any line that was put on its way. */
  get maxTime(): bigint | null {
    return this.#maxTime;
  }

  get counts(): StreamCounts {
    return this.#counts;
  }

  /** True once another process has the stream: nothing more is written. */
  get lost(): boolean {
    return this.#lost;
  }

  /** The next lines come from a source that does, or does not, tell stdout and stderr apart. What is built must have been taken. */
  use(source: LogSource): void {
    this.#builder = this.#newBuilder(source);
  }

  /** Adds to what is counted; it is stored with the next lines. */
  count(more: Partial<StreamCounts>): void {
    const { unglued = 0, headRests = 0, malformed = 0 } = more;
    this.#counts = {
      unglued: this.#counts.unglued + unglued,
      headRests: this.#counts.headRests + headRests,
      malformed: this.#counts.malformed + malformed,
    };
  }

  /** How to judge, by the stream's first lines, whether others were before them. */
  judgeStartBy(judge: (first: Chunk) => OpenGap | null): void {
    this.#judgeStart = (first) => {
      const gap = judge(first);
      return gap === null ? null : { ...gap, from: null };
    };
  }

  /** Marks that lines may be missing before the next one. A gap that is open already stays as it is. */
  openGap(gap: OpenGap): void {
    this.#gap ??= { ...gap, from: this.#maxTime };
  }

  /** Puts the lines of the builder on their way, with the place where to go on behind them. */
  flush(position: StreamPosition): void {
    const chunk = this.#builder.take();
    if (chunk !== null) this.#submit(position, chunk);
  }

  /** As {@link flush}, at the end of the output: a gap behind which no line comes is written too. */
  flushEnd(position: StreamPosition): void {
    this.flush(position);
    if (this.#gap !== null) this.#submit(position, null);
  }

  #submit(position: StreamPosition, chunk: Chunk | null): void {
    if (this.#lost) return;
    const { id, day, stepId, fence } = this.record;
    const firstSeq = this.#submitted;
    if (firstSeq === 0 && chunk !== null) this.#gap ??= this.#judgeStart(chunk);
    const gaps: Gap[] = this.#gap === null ? [] : [{ ...this.#gap, seq: firstSeq, until: chunk?.firstTime ?? null }];
    this.#gaps += gaps.length;
    if (this.#gap !== null) this.#onGap(this.#gap);
    this.#gap = null;
    if (chunk !== null) {
      this.#submitted += chunk.lines;
      this.#bytes += chunk.outputBytes;
      if (this.#maxTime === null || chunk.maxTime > this.#maxTime) this.#maxTime = chunk.maxTime;
    }
    this.#pending += 1;
    this.#committer.submit({
      commit: { stream: { id, day }, stepId, fence, firstSeq, gaps, position, counts: this.#counts },
      chunk,
      readAt: performance.now(),
      done: this.#whenDone(firstSeq, chunk),
    });
  }

  /** Forgets the lines in the builder. */
  drop(): void {
    this.#builder.discard();
  }

  /** Resolves when everything that was put on its way is stored or lost, or when the signal aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    while (this.#pending > 0 && !signal.aborted) await this.#changes.next(signal);
  }

  #newBuilder(source: LogSource): ChunkBuilder {
    const priorTime = this.#maxTime === null ? null : fromNanos(this.#maxTime);
    return new ChunkBuilder(this.#pool, {
      nextSeq: this.#submitted,
      priorTime,
      standardStreams: source === "node",
    });
  }

  #whenDone(fromSeq: number, chunk: Chunk | null): (outcome: CommitOutcome) => void {
    const untilSeq = fromSeq + (chunk?.lines ?? 0);
    const lineBytes = chunk?.lineBytes ?? 0;
    return (outcome) => {
      this.#pending -= 1;
      if (outcome === "committed") {
        this.#stored = untilSeq;
        if (untilSeq > fromSeq) this.#onStored({ fromSeq, untilSeq, lineBytes });
      } else if (!this.#lost) {
        this.#lost = true;
        this.#onLost();
      }
      this.#changes.notify();
    };
  }
}
