import {
  Aligner,
  ChunkLines,
  Hash64,
  Marks,
  markLines,
  type Chunk,
  type Handover,
  type LogStore,
  type StreamPosition,
} from "@tailrace/core";
import type { StoredLines } from "./known-lines.ts";
import type { OpenGap, StreamWriter } from "./stream-writer.ts";

export interface HandoverDeps extends StoredLines {
  store: Pick<LogStore, "readChunks" | "listHandovers" | "settleHandover">;
}

/** What lines that another process has read are to the stored ones. */
type Fit =
  /** All of them are stored. */
  | { kind: "known" }
  /** From this one on they come behind the stored ones, without a gap. */
  | { kind: "new"; from: number }
  /** They come later than everything that is stored, and nothing tells what is between. */
  | { kind: "later" }
  /** They contradict what is stored. */
  | { kind: "foreign" };

/**
 * Adds lines to a stream that another process read, could not store and handed over. They are joined by the same rules as
 * what is read: as a sequence, never by number or time alone. Everything that the writer was given must be stored.
 *
 * @param gap - what to mark before lines that come later than the stored ones, where nothing else can fill the distance;
 * null to leave such lines alone for now
 * @returns where to go on behind the lines added; null when there were none
 */
export async function joinHandovers(
  writer: StreamWriter,
  gap: OpenGap | null,
  deps: HandoverDeps,
  signal: AbortSignal,
): Promise<StreamPosition | null> {
  let position: StreamPosition | null = null;
  for (const handover of await deps.store.listHandovers(writer.record)) {
    const chunks = await Promise.all(handover.commit.chunks.map((stored) => deps.openChunk(stored)));
    const fit = await judge(writer, handover, chunks, deps);
    if (fit.kind === "later" && gap !== null) writer.openGap(gap);
    else if (fit.kind === "later" || fit.kind === "foreign") continue;
    if (fit.kind !== "known") {
      const from = fit.kind === "new" ? fit.from : 0;
      const [lost] = handover.commit.gaps;
      if (lost !== undefined && from === 0) writer.openGap({ reason: lost.reason, certain: lost.certain });
      append(writer, chunks, from);
      position = handover.commit.position;
      writer.flush(position);
      await writer.settled(signal);
      if (signal.aborted || writer.lost) return position;
    }
    await deps.store.settleHandover(handover.id, "joined");
  }
  return position;
}

async function judge(
  writer: StreamWriter,
  { commit }: Handover,
  chunks: readonly Chunk[],
  deps: HandoverDeps,
): Promise<Fit> {
  const [first] = chunks;
  if (first === undefined) return { kind: "known" };
  const continues = writer.maxTime === null || first.priorTime === writer.maxTime;
  if (commit.firstSeq === writer.nextSeq && continues) return { kind: "new", from: 0 };
  const earliest = chunks.reduce((least, { minTime }) => (minTime < least ? minTime : least), first.minTime);
  const since = earliest / 1_000_000_000n;
  const stored = new Marks();
  for await (const chunk of deps.store.readChunks(writer.record, { fromTime: since * 1_000_000_000n }))
    markLines(stored, await deps.openChunk(chunk));
  return compare(stored.since(Number(since)), chunks);
}

function compare(stored: Marks, chunks: readonly Chunk[]): Fit {
  if (stored.length === 0) return { kind: "later" };
  const aligner = new Aligner(stored);
  const hash = new Hash64();
  let index = 0;
  for (const chunk of chunks) {
    const view = new DataView(chunk.payload.buffer, chunk.payload.byteOffset, chunk.payload.byteLength);
    for (const lines = new ChunkLines(chunk); lines.next(); index += 1) {
      const { high, low } = hash.update(view, lines.start, lines.end);
      const alignment = aligner.push({ seconds: lines.seconds, nanos: lines.nanos, high, low });
      // What was read is whole lines: none is the rest of a stored one.
      if (alignment === "none" || aligner.headRest !== null) return { kind: "foreign" };
      if (alignment === "new") return { kind: "new", from: index };
    }
  }
  return { kind: "known" };
}

/** All of it as one chunk, since the position counts for all of it. */
function append(writer: StreamWriter, chunks: readonly Chunk[], from: number): void {
  const { builder } = writer;
  let index = 0;
  for (const chunk of chunks) {
    for (const lines = new ChunkLines(chunk); lines.next(); index += 1) {
      if (index < from) continue;
      const bytes = chunk.payload.subarray(lines.start, lines.end);
      builder.reserve(bytes.length);
      builder.bytes.set(bytes, builder.end);
      builder.line(builder.end + bytes.length, lines.seconds, lines.nanos, lines.flags);
    }
  }
}
