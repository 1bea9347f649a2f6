import {
  Aligner,
  copyLines,
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
      append(writer, handover, chunks, fit.kind === "new" ? fit.from : 0);
      ({ position } = handover.commit);
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
  const handed = new Marks();
  for (const chunk of chunks) markLines(handed, chunk);
  const aligner = new Aligner(stored);
  for (let index = 0; index < handed.length; index += 1) {
    const alignment = aligner.push(handed.at(index));
    // What was read is whole lines: none is the rest of a stored one.
    if (alignment === "none" || aligner.headRest !== null) return { kind: "foreign" };
    if (alignment === "new") return { kind: "new", from: index };
  }
  return { kind: "known" };
}

/** The position counts for all lines; should they be stored in part only, the rest is still there to be joined. */
function append(writer: StreamWriter, { commit }: Handover, chunks: readonly Chunk[], from: number): void {
  const gaps = new Map(commit.gaps.map((gap) => [gap.seq, gap]));
  for (const chunk of chunks) {
    const skipped = Math.max(0, commit.firstSeq + from - chunk.firstSeq);
    if (skipped >= chunk.lines) continue;
    const gap = skipped === 0 ? gaps.get(chunk.firstSeq) : undefined;
    if (gap !== undefined) {
      writer.flush(commit.position);
      writer.openGap({ reason: gap.reason, certain: gap.certain });
    }
    copyLines(chunk, writer.builder, skipped);
  }
  writer.flush(commit.position);
}
