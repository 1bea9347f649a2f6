import { ChunkBuilder, ChunkLines, STDERR, type BufferPool, type Chunk, type LogSource } from "@tailrace/core";
import { setTimeout as sleep } from "node:timers/promises";
import { OutputDigest, type Digest } from "./digest.ts";
import { NodeReader } from "./node-reader.ts";
import { PodLogReader } from "./pod-log-reader.ts";
import type { ContainerView, LineSink, Reader, Reading } from "./reading.ts";
import type { StreamDeps } from "./stream-deps.ts";

/** What a second reading of an ended container's log gave. */
export type Again =
  /** What everything that is still there adds up to, first all of it, then what was asked for of it besides. */
  | { kind: "digests"; digests: Digest[] }
  /** It could not be read whole once more: that its end was read twice must do. */
  | { kind: "end" };

/** Through the log API only so much is read once more: it costs the kubelet some 16 s of its time for a million lines. */
const MAX_API_BYTES = 64 * 1024 * 1024;

/** How long a second reading may take in all. */
const TIMEOUT_MS = 600_000;

/**
 * Reads everything that is still there of an ended container's log, from the same source as before.
 *
 * @param stored.bytes - about how many bytes it is
 * @param stored.isCut - adds it also up without the lines with which it may begin in the middle, where a rotation has cut
 * them: the first one of each of stdout and stderr
 */
export async function readAgain(
  view: ContainerView,
  source: LogSource,
  stored: { bytes: number; isCut: boolean },
  deps: Pick<StreamDeps, "access" | "podLogs" | "pool">,
  signal: AbortSignal,
): Promise<Again> {
  const sink = new DigestSink(deps.pool, source, stored.isCut);
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const reading: Reading = {
    view,
    sink,
    admission: { mayRead: () => true, admission: () => Promise.resolve() },
    signal: bounded,
    pause: (ms) => sleep(ms, undefined, { signal: bounded }).catch(() => undefined),
    onReopen: () => undefined,
    onProblem: () => undefined,
  };
  const reader = makeReader(reading, source, stored.bytes, deps);
  if (reader === null) return { kind: "end" };
  const end = await reader.run();
  return end.kind === "ended" ? { kind: "digests", digests: sink.results() } : { kind: "end" };
}

function makeReader(
  reading: Reading,
  source: LogSource,
  bytes: number,
  deps: Pick<StreamDeps, "access" | "podLogs">,
): Reader | null {
  if (source === "node") {
    const logs = deps.access.again(reading.view.node);
    return logs === null ? null : new NodeReader(reading, logs, null);
  }
  if (bytes > MAX_API_BYTES) return null;
  return new PodLogReader(reading, deps.podLogs);
}

/** Adds lines up and forgets them. */
class DigestSink implements LineSink {
  readonly builder: ChunkBuilder;
  readonly #pool: BufferPool;
  readonly #all = new OutputDigest();
  #tails: OutputDigest[] | null;

  constructor(pool: BufferPool, source: LogSource, isCut: boolean) {
    this.#pool = pool;
    this.#tails = isCut ? null : [];
    this.builder = new ChunkBuilder(pool, { nextSeq: 0, priorTime: null, standardStreams: source === "node" });
  }

  results(): Digest[] {
    return [this.#all, ...(this.#tails ?? [])].map((digest) => digest.result());
  }

  flush(): void {
    const chunk = this.builder.take();
    if (chunk === null) return;
    this.#all.add(chunk);
    if (this.#tails === null) this.#tails = cutHeads(chunk).map((heads) => new OutputDigest().add(chunk, heads));
    else for (const tail of this.#tails) tail.add(chunk);
    this.#pool.release(chunk.payload.buffer);
  }

  drop(): void {
    this.builder.discard();
  }

  count(): void {}

  async settled(): Promise<void> {}
}

/** How many of a log's first lines may have to be left out, where each of stdout and stderr may begin in the middle of one. */
function cutHeads(chunk: Chunk): number[] {
  if (!chunk.standardStreams) return [1, 2].filter((heads) => heads <= chunk.lines);
  let first: number | null = null;
  for (const lines = new ChunkLines(chunk); lines.next();) {
    first ??= lines.flags & STDERR;
    if ((lines.flags & STDERR) !== first) return [1, lines.index + 1];
  }
  return [1];
}
