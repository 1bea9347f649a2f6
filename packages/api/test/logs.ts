import {
  type BufferPool,
  ChunkBuilder,
  type ContainerInstance,
  type Gap,
  type Seal,
  type StepRecord,
  type StreamCounts,
  type StreamRecord,
  fromNanos,
} from "@tailrace/core";
import { storeChunk } from "@tailrace/store";
import type { Json, TestApi } from "./api.ts";

/** 2026-11-24T10:00:00Z, in nanoseconds since the epoch. */
export const T0 = 1_795_514_400_000_000_000n;
export const MS = 1_000_000n;

/** A line to store. */
export interface TestLine {
  line: string | Uint8Array;
  /** Nanoseconds since the epoch. */
  time: bigint;
  /** STDERR and UNFINISHED. (Default: none) */
  flags?: number;
}

interface Write {
  gaps?: Omit<Gap, "until" | "from">[];
  linesPerChunk?: number;
  /** False for a source that does not tell stdout and stderr apart. (Default: true) */
  standardStreams?: boolean;
  counts?: StreamCounts;
}

const pool: BufferPool = { acquire: (size) => new Uint8Array(size), release: () => undefined };

/** `count` lines `{prefix} {number}`, a millisecond apart. */
export function countedLines(prefix: string, count: number, start = T0): TestLine[] {
  return Array.from({ length: count }, (_, index) => ({
    line: `${prefix} ${index}`,
    time: start + BigInt(index) * MS,
  }));
}

const claimed = new WeakMap<TestApi, Map<string, StepRecord>>();

/** Writes a run's logs as its supervisor does. */
export class RunLogs {
  readonly #api: TestApi;
  readonly #step: StepRecord;

  private constructor(api: TestApi, step: StepRecord) {
    this.#api = api;
    this.#step = step;
  }

  static async of(api: TestApi, run: { id: string }): Promise<RunLogs> {
    const known = claimed.get(api) ?? new Map<string, StepRecord>();
    claimed.set(api, known);
    const steps = await api.store.claimSteps({ holder: "logs", namespace: "load", ttlMs: 600_000, limit: 100 });
    for (const step of steps) known.set(step.runId, step);
    const step = known.get(run.id);
    if (step === undefined) throw new Error(`no step of run ${run.id} could be claimed`);
    return new RunLogs(api, step);
  }

  /** The log of a runner's only container, where nothing else is said. */
  async stream(change: Partial<ContainerInstance> = {}): Promise<StreamLogs> {
    const pod = change.pod ?? "k6-checkout-1-aaaaa";
    const runner: ContainerInstance = {
      podUid: `uid-${pod}`,
      pod,
      container: "k6",
      restart: 0,
      role: "runner",
      runner: 1,
      named: false,
    };
    const { id: stepId, fence } = this.#step;
    const record = await this.#api.store.openStream({ stepId, fence, instance: { ...runner, ...change } });
    if (record === null) throw new Error("the stream is another holder's");
    return new StreamLogs(this.#api, record);
  }

  async end(): Promise<void> {
    await this.#api.store.writeStep(this.#step.id, this.#step.fence, { status: "finished", finishedAt: new Date() });
  }
}

export class StreamLogs {
  readonly #api: TestApi;
  #bytes = 0;
  record: StreamRecord;

  constructor(api: TestApi, record: StreamRecord) {
    this.#api = api;
    this.record = record;
  }

  async write(lines: readonly TestLine[], options: Write = {}): Promise<this> {
    const { gaps = [], linesPerChunk = Infinity, standardStreams = true, counts } = options;
    const { nextSeq, maxTime, stepId, fence, id, day } = this.record;
    const builder = new ChunkBuilder(pool, {
      nextSeq,
      priorTime: maxTime === null ? null : fromNanos(maxTime),
      standardStreams,
    });
    const chunks = [];
    for (const { line, time, flags = 0 } of lines) {
      const bytes = Buffer.from(line);
      const { seconds, nanos } = fromNanos(time);
      builder.reserve(bytes.length);
      builder.bytes.set(bytes, builder.end);
      builder.line(builder.end + bytes.length, seconds, nanos, flags);
      if (builder.lines === linesPerChunk || builder.full) chunks.push(builder.take()!);
    }
    const last = builder.take();
    if (last !== null) chunks.push(last);
    for (const { outputBytes } of chunks) this.#bytes += outputBytes;
    const [outcome] = await this.#api.store.commitLogs([
      {
        stream: { id, day },
        stepId,
        fence,
        firstSeq: nextSeq,
        chunks: await Promise.all(chunks.map(storeChunk)),
        gaps: gaps.map((gap) => ({ from: T0, until: null, ...gap })),
        position: { source: "api" },
        counts: counts ?? this.record.counts,
      },
    ]);
    if (outcome !== "committed") throw new Error("the commit was lost");
    const records = await this.#api.store.listStreams(stepId);
    this.record = records.find((record) => record.id === id)!;
    return this;
  }

  async seal(change: Partial<Seal> = {}): Promise<this> {
    const seal: Seal = {
      lines: this.record.nextSeq,
      bytes: this.#bytes,
      sha256: "5a".repeat(32),
      verified: "full",
      verifiedBy: "api",
      truncated: null,
      ...change,
    };
    if (!(await this.#api.store.sealStream(this.record, this.record.fence, seal))) throw new Error("not sealed");
    return this;
  }
}

/** An item of a page in a line of text: `pod/seq text`, `~` before context, `pod/seq gap rotated`, `pod/seq end reason`. */
export function show(item: Json): string {
  const place = `${item.pod}/${item.seq}`;
  if (item.kind === "gap") return `${place} gap ${item.reason}`;
  if (item.kind === "truncated") return `${place} end ${item.reason}`;
  return `${item.context === true ? "~" : ""}${place} ${item.line}`;
}
