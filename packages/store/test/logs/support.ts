import {
  ChunkBuilder,
  ChunkLines,
  type BufferPool,
  type Chunk,
  type ContainerInstance,
  type Gap,
  type LogEntry,
  type LogFilter,
  type LogPageQuery,
  type LogStream,
  type NewRun,
  type Seal,
  type StepRecord,
  type StoredChunk,
  type StreamCommit,
  type StreamRecord,
  type StreamRef,
} from "@tailrace/core";
import { openStoredChunk, storeChunk, type PostgresStore } from "../../src/index.ts";
import { createRun, id, makeTeam, newRun, query, type StoreFixture } from "../support.ts";

/** A line to store. Its time is in nanoseconds since the epoch. */
export interface TestLine {
  text: string | Uint8Array;
  time: bigint;
  /** STDERR and UNFINISHED. (Default: none) */
  flags?: number;
}

/** 2026-11-24T10:00:00Z. */
export const T0 = 1_795_514_400_000_000_000n;

export const NO_COUNTS = { unglued: 0, headRests: 0, malformed: 0 };

const pool: BufferPool = { acquire: (size) => new Uint8Array(size), release: () => undefined };

/** Chunks of `linesPerChunk` lines each, the first of which begins at `nextSeq`. */
export function buildChunks(
  lines: readonly TestLine[],
  { nextSeq = 0, priorTime = null as bigint | null, linesPerChunk = Infinity, standardStreams = true } = {},
): Chunk[] {
  const prior =
    priorTime === null
      ? null
      : { seconds: Number(priorTime / 1_000_000_000n), nanos: Number(priorTime % 1_000_000_000n) };
  const builder = new ChunkBuilder(pool, { nextSeq, priorTime: prior, standardStreams });
  const chunks: Chunk[] = [];
  for (const { text, time, flags = 0 } of lines) {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    builder.reserve(bytes.length);
    builder.bytes.set(bytes, builder.end);
    builder.line(
      builder.end + bytes.length,
      Number(time / 1_000_000_000n),
      Number(time % 1_000_000_000n),
      standardStreams ? flags : flags & ~1,
    );
    if (builder.lines === linesPerChunk) chunks.push(builder.take()!);
  }
  const last = builder.take();
  return last === null ? chunks : [...chunks, last];
}

export function storeAll(chunks: readonly Chunk[]): Promise<StoredChunk[]> {
  return Promise.all(chunks.map(storeChunk));
}

/** `count` lines `prefix 0`, `prefix 1`, … a millisecond apart. */
export function countedLines(prefix: string, count: number, from = 0): TestLine[] {
  return Array.from({ length: count }, (_, index) => ({
    text: `${prefix} ${from + index}`,
    time: T0 + BigInt(from + index) * 1_000_000n,
  }));
}

export function instance(change: Partial<ContainerInstance> = {}): ContainerInstance {
  return {
    podUid: "uid-1",
    pod: "k6-checkout-1-abcde",
    container: "k6",
    restart: 0,
    role: "runner",
    runner: 1,
    named: false,
    ...change,
  };
}

/** A run whose step `holder` has claimed. */
export async function claimRun(
  { store }: StoreFixture,
  { holder = "a", team = null, change = {} }: { holder?: string; team?: string | null; change?: Partial<NewRun> } = {},
): Promise<{ team: string; runId: string; step: StepRecord }> {
  const teamId = team ?? (await makeTeam(store));
  const run = newRun(teamId, { step: { id: id(), namespace: id(), config: newRun(teamId).step.config }, ...change });
  await createRun(store, run);
  const [step] = await store.claimSteps({ holder, namespace: run.step.namespace, ttlMs: 60_000, limit: 1 });
  return { team: teamId, runId: run.id, step: step! };
}

/** Writes one stream as its holder does. */
export class TestWriter {
  record: StreamRecord;
  readonly #fixture: StoreFixture;

  private constructor(fixture: StoreFixture, record: StreamRecord) {
    this.#fixture = fixture;
    this.record = record;
  }

  static async open(
    fixture: StoreFixture,
    { id: stepId, fence }: Pick<StepRecord, "id" | "fence">,
    change: Partial<ContainerInstance> = {},
  ): Promise<TestWriter> {
    const record = await fixture.store.openStream({ stepId, fence, instance: instance(change) });
    if (record === null) throw new Error("the stream is another holder's");
    return new TestWriter(fixture, record);
  }

  /** What the next commit of these lines is, after those that {@link write} wrote. */
  async commit(
    lines: readonly TestLine[],
    {
      gaps = [] as Gap[],
      linesPerChunk = Infinity,
      standardStreams = true,
    }: { gaps?: Gap[]; linesPerChunk?: number; standardStreams?: boolean } = {},
  ): Promise<StreamCommit> {
    const { record } = this;
    const chunks = buildChunks(lines, {
      nextSeq: record.nextSeq,
      priorTime: record.maxTime,
      linesPerChunk,
      standardStreams,
    });
    return {
      stream: record,
      stepId: record.stepId,
      fence: record.fence,
      firstSeq: record.nextSeq,
      chunks: await storeAll(chunks),
      gaps,
      position: { source: "api" },
      counts: NO_COUNTS,
    };
  }

  async write(...args: Parameters<TestWriter["commit"]>): Promise<void> {
    const commit = await this.commit(...args);
    const [outcome] = await this.#fixture.store.commitLogs([commit]);
    if (outcome !== "committed") throw new Error("the commit was lost");
    await this.refresh();
  }

  async refresh(): Promise<void> {
    const records = await this.#fixture.store.listStreams(this.record.stepId);
    this.record = records.find((record) => record.id === this.record.id)!;
  }

  async seal(change: Partial<Seal> = {}): Promise<boolean> {
    await this.refresh();
    return await this.#fixture.store.sealStream(this.record, this.record.fence, sealOf(this.record, change));
  }
}

function sealOf({ nextSeq }: StreamRecord, change: Partial<Seal> = {}): Seal {
  return {
    lines: nextSeq,
    bytes: 0,
    sha256: "0".repeat(64),
    verified: "full",
    verifiedBy: "node",
    truncated: null,
    ...change,
  };
}

/** Takes the step from whoever has it, as a claim does. @returns the new fencing number */
export async function takeStep({ url }: StoreFixture, stepId: string): Promise<number> {
  const [row] = await query(
    url,
    "update test_run_steps set fence = fence + 1, lease_holder = 'other' where id = $1 returning fence::int",
    [stepId],
  );
  return Number(row!["fence"]);
}

export function texts(lines: readonly TestLine[]): string[] {
  return lines.map(({ text }) => Buffer.from(text).toString());
}

/** The texts of all lines of a stream, as they are stored; throws where a seq is missing or doubled. */
export async function readAllTexts(store: PostgresStore, stream: StreamRef): Promise<string[]> {
  const all: string[] = [];
  for await (const stored of store.readChunks(stream)) {
    if (stored.firstSeq !== all.length) throw new Error(`a chunk begins at ${stored.firstSeq}, not at ${all.length}`);
    const chunk = await openStoredChunk(stored);
    for (const lines = new ChunkLines(chunk); lines.next();)
      all.push(Buffer.from(chunk.payload.subarray(lines.start, lines.end)).toString());
  }
  return all;
}

export const ALL: LogFilter = { include: [], exclude: [], ignoreCase: false, levels: null };

export function substring(...texts: string[]): LogFilter {
  return { ...ALL, include: texts.map((text) => ({ kind: "substring", text })) };
}

export function regex(...texts: string[]): LogFilter {
  return { ...ALL, include: texts.map((text) => ({ kind: "regex", text })) };
}

export async function streamsOf({ store }: StoreFixture, team: string, runId: string): Promise<LogStream[]> {
  const streams = await store.listLogStreams(team, runId);
  if (streams === null) throw new Error("there is no such run");
  return streams;
}

/** An entry in a line of text: `0:12 text`, `~` before context, `0:12 gap rotated` for a gap. */
export function show(entry: LogEntry): string {
  const place = `${entry.ordinal}:${entry.seq}`;
  if (entry.kind === "gap") return `${place} gap ${entry.reason}`;
  return `${entry.context ? "~" : ""}${place} ${Buffer.from(entry.bytes).toString()}`;
}

export function pageQuery(streams: readonly LogStream[], change: Partial<LogPageQuery> = {}): LogPageQuery {
  return {
    streams,
    filter: ALL,
    start: "begin",
    direction: "forward",
    until: null,
    limit: 100,
    before: 0,
    after: 0,
    ...change,
  };
}

/** All lines of streams that a filter passes. */
export function searchQuery(streams: readonly LogStream[], filter: LogFilter = ALL) {
  return { streams, filter, from: null, until: null, bucketMs: null };
}

/** One run with a stream for each list of lines. */
export async function storeLines(
  fixture: StoreFixture,
  ...all: Parameters<TestWriter["write"]>[]
): Promise<LogStream[]> {
  const { step, team, runId } = await claimRun(fixture);
  for (const [restart, args] of all.entries()) {
    const writer = await TestWriter.open(fixture, step, { restart });
    await writer.write(...args);
  }
  return await streamsOf(fixture, team, runId);
}
