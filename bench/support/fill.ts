import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { ChunkBuilder, type BufferPool, type StoredChunk, type StreamRecord } from "@tailrace/core";
import { storeChunk, type PostgresStore } from "@tailrace/store";
import { K6Lines } from "./k6-lines.ts";
import type { BenchStep } from "./step.ts";

/** Chunks that are compressed and written together. */
const BATCH = 8;
/** Of each stream. */
const LINES_A_SECOND = 10_000;
const NANOS_A_LINE = 1_000_000_000 / LINES_A_SECOND;

const FRESH_MEMORY: BufferPool = { acquire: (size) => new Uint8Array(size), release: () => undefined };

export interface FillOptions {
  store: PostgresStore;
  step: BenchStep;
  /** Lines of all streams together, as many of each. */
  lines: number;
  streams: number;
  seed: number;
  /** The same lines are written here, stream after stream. */
  rawFile: string;
  signal: AbortSignal;
}

/**
 * Stores sealed streams of generated lines as the collector leaves them: full chunks, made and written by the same code. Of
 * each stream 10,000 lines a second were written, not evenly.
 *
 * @returns bytes of the raw file
 */
export async function fillStreams({
  store,
  step,
  lines,
  streams,
  seed,
  rawFile,
  signal,
}: FillOptions): Promise<number> {
  const raw = await open(rawFile, "w");
  try {
    let bytes = 0;
    const startSeconds = Math.floor(Date.now() / 1000) - Math.ceil(lines / streams / LINES_A_SECOND) - 1;
    for (let stream = 0; stream < streams; stream += 1) {
      const record = await openStream(store, step, stream);
      const until = Math.floor((lines * (stream + 1)) / streams) - Math.floor((lines * stream) / streams);
      const source = makeChunks(new K6Lines(record.instance.pod, seed + stream), { lines: until, startSeconds });
      bytes += await storeStream(store, record, source, async (piece) => {
        signal.throwIfAborted();
        await raw.writeFile(piece);
      });
    }
    return bytes;
  } finally {
    await raw.close();
  }
}

async function openStream(store: PostgresStore, step: BenchStep, index: number): Promise<StreamRecord> {
  const pod = `${step.name}-${index + 1}-aaaaa`;
  const instance = { podUid: `${step.testRunUid}-${index}`, pod, container: "k6", restart: 0, role: "runner" } as const;
  const record = await store.openStream({
    stepId: step.id,
    fence: step.fence,
    instance: { ...instance, runner: index + 1, named: false },
  });
  if (record === null) throw new Error("the bench's own stream can't be opened");
  return record;
}

/** A payload that was built, with the chunk that is stored for it. */
interface MadeChunk {
  stored: StoredChunk;
  lines: Uint8Array;
}

async function* makeChunks(
  lines: K6Lines,
  range: { lines: number; startSeconds: number },
): AsyncGenerator<MadeChunk[]> {
  const builder = new ChunkBuilder(FRESH_MEMORY, { nextSeq: 0, priorTime: null, standardStreams: true });
  let batch: Promise<MadeChunk>[] = [];
  let text = "";
  let second = -1;
  for (let n = 0; n < range.lines; n += 1) {
    const seconds = range.startSeconds + Math.floor(n / LINES_A_SECOND);
    if (seconds !== second) text = new Date(seconds * 1000).toISOString().replace(".000", "");
    second = seconds;
    const line = Buffer.from(lines.line(n, text), "latin1");
    const nanos = (n % LINES_A_SECOND) * NANOS_A_LINE + scatter(n, NANOS_A_LINE);
    builder.reserve(line.length);
    builder.bytes.set(line, builder.end);
    builder.line(builder.end + line.length, seconds, nanos, 0);
    if (builder.full) batch.push(takeChunk(builder));
    if (batch.length < BATCH) continue;
    yield await Promise.all(batch);
    batch = [];
  }
  if (builder.lines > 0) batch.push(takeChunk(builder));
  if (batch.length > 0) yield await Promise.all(batch);
}

/** @returns less than `below`, the same for the same number (Knuth's multiplicative hash) */
function scatter(n: number, below: number): number {
  return (Math.imul(n, 2_654_435_761) >>> 0) % below;
}

async function takeChunk(builder: ChunkBuilder): Promise<MadeChunk> {
  const chunk = builder.take()!;
  return { stored: await storeChunk(chunk), lines: chunk.payload.subarray(0, chunk.lineBytes) };
}

async function storeStream(
  store: PostgresStore,
  record: StreamRecord,
  batches: AsyncIterable<MadeChunk[]>,
  write: (lines: Uint8Array) => Promise<void>,
): Promise<number> {
  const hash = createHash("sha256");
  let [lines, bytes] = [0, 0];
  for await (const batch of batches) {
    for (const chunk of batch) {
      hash.update(chunk.lines);
      await write(chunk.lines);
    }
    const [outcome] = await store.commitLogs([
      {
        stream: record,
        stepId: record.stepId,
        fence: record.fence,
        firstSeq: lines,
        chunks: batch.map(({ stored }) => stored),
        gaps: [],
        position: { source: "api" },
        counts: record.counts,
      },
    ]);
    if (outcome !== "committed") throw new Error("the bench's own stream was lost");
    for (const { stored } of batch) {
      lines += stored.lines;
      bytes += stored.outputBytes;
    }
  }
  const seal = { lines, bytes, sha256: hash.digest("hex"), verified: null, verifiedBy: null, truncated: null };
  if (!(await store.sealStream(record, record.fence, seal))) throw new Error("the bench's own stream can't be sealed");
  return bytes;
}
