import type { LogSource, Seal } from "@tailrace/core";
import { compact } from "./compact.ts";
import { OutputDigest, type Digest } from "./digest.ts";
import { joinHandovers } from "./handovers.ts";
import type { ContainerView } from "./reading.ts";
import { readAgain } from "./read-again.ts";
import type { StreamDeps } from "./stream-deps.ts";
import type { StreamWriter } from "./stream-writer.ts";

/** How often the source is read again where that did not agree with what is stored. */
const TRIES = 3;

/**
 * Ends a stream all of whose lines are stored: reads the source once more, reads back and adds up what is stored, and
 * compares the two; joins small chunks on the way.
 *
 * @param end.truncated - why the output's end is not known; null where it was read twice
 * @returns null when the signal aborted or another process has the stream
 */
export async function sealStream(
  writer: StreamWriter,
  end: { source: LogSource; truncated: string | null; view: ContainerView },
  deps: StreamDeps,
  signal: AbortSignal,
): Promise<Seal | null> {
  if (signal.aborted || writer.lost) return null;
  await settleHandovers(writer, deps, signal);
  let sealing = await sealOnce(writer, end, false, deps, signal);
  for (let tried = 1; tried < TRIES && sealing?.seal.verified === null && end.truncated === null; tried += 1)
    sealing = await sealOnce(writer, end, true, deps, signal);
  if (sealing === null) return null;
  let { seal } = sealing;
  if (sealing.differs) {
    deps.log.error({ pod: writer.record.instance.pod }, "a second reading of a log did not agree with what is stored");
    seal = { ...seal, truncated: "a second reading of the log did not agree with the first" };
  }
  const { record } = writer;
  return (await deps.store.sealStream(record, record.fence, seal)) ? seal : null;
}

async function sealOnce(
  writer: StreamWriter,
  { source, truncated, view }: { source: LogSource; truncated: string | null; view: ContainerView },
  isCut: boolean,
  deps: StreamDeps,
  signal: AbortSignal,
): Promise<Sealing | null> {
  const { bytes } = writer;
  const again = truncated === null ? await readAgain(view, source, { bytes, isCut }, deps, signal) : null;
  if (signal.aborted) return null;
  const digests = again?.kind === "digests" ? again.digests : [];
  const stored = await addUp(writer, new Set(digests.map(({ lines }) => lines)), deps);
  if (stored === null) return null;
  const verified = again === null ? null : again.kind === "end" ? "suffix" : agreement(digests, stored);
  // Where a log was rotated behind its last line, or in it, nothing of it may be left that could be compared.
  const differs = verified === null && digests.length > 0 && digests.every(({ lines }) => lines > 0);
  return { seal: { ...stored.all, verified, verifiedBy: verified === null ? null : source, truncated }, differs };
}

interface Sealing {
  seal: Seal;
  /** A second reading gave something else than what is stored. */
  differs: boolean;
}

interface Stored {
  all: Digest;
  /** Of so many of the last lines. */
  ends: ReadonlyMap<number, Digest>;
}

/** @param again - what a second reading gave, and, where that may begin with cut lines, without those */
function agreement(again: readonly Digest[], { all, ends }: Stored): Seal["verified"] {
  if (again[0]!.lines === all.lines && again[0]!.sha256 === all.sha256) return "full";
  return again.some(({ lines, sha256 }) => lines > 0 && ends.get(lines)?.sha256 === sha256) ? "suffix" : null;
}

async function addUp(writer: StreamWriter, counts: ReadonlySet<number>, deps: StreamDeps): Promise<Stored | null> {
  const { record, storedSeq } = writer;
  const all = new OutputDigest();
  const ends = Array.from(counts)
    .filter((lines) => lines < storedSeq)
    .map((lines) => ({ lines, from: storedSeq - lines, digest: new OutputDigest() }));
  const whole = await compact(record, record.fence, { fromSeq: 0, untilSeq: storedSeq }, deps, (chunk) => {
    all.add(chunk);
    for (const { from, digest } of ends)
      if (chunk.firstSeq + chunk.lines > from) digest.add(chunk, Math.max(0, from - chunk.firstSeq));
  });
  if (!whole) return null;
  return { all: all.result(), ends: new Map(ends.map(({ lines, digest }) => [lines, digest.result()])) };
}

/** What was handed over and can't be joined now never can: it is kept beside the stream. */
async function settleHandovers(writer: StreamWriter, deps: StreamDeps, signal: AbortSignal): Promise<void> {
  await joinHandovers(writer, null, deps, signal);
  for (const { id, commit } of await deps.store.listHandovers(writer.record)) {
    const lines = commit.chunks.reduce((sum, chunk) => sum + chunk.lines, 0);
    deps.log.error(
      { pod: writer.record.instance.pod, lines },
      "lines that another server read could not be joined; they are kept",
    );
    await deps.store.settleHandover(id, "unjoined");
    deps.onUnjoined();
  }
}
