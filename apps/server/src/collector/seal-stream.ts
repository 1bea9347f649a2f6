import type { LogSource, Seal } from "@tailrace/core";
import { compact } from "./compact.ts";
import { OutputDigest, type Digest } from "./digest.ts";
import { joinHandovers } from "./handovers.ts";
import type { ContainerView } from "./reading.ts";
import { readAgain } from "./read-again.ts";
import type { StreamDeps } from "./stream-task.ts";
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
  let seal = await sealOnce(writer, end, deps, signal);
  for (let tried = 1; tried < TRIES && seal?.verified === null && end.truncated === null; tried += 1)
    seal = await sealOnce(writer, end, deps, signal);
  if (seal === null) return null;
  if (seal.verified === null && end.truncated === null) {
    deps.log.error({ pod: writer.record.instance.pod }, "a second reading of a log did not agree with what is stored");
    seal = { ...seal, truncated: "a second reading of the log did not agree with the first" };
  }
  const { record } = writer;
  return (await deps.store.sealStream(record, record.fence, seal)) ? seal : null;
}

async function sealOnce(
  writer: StreamWriter,
  { source, truncated, view }: { source: LogSource; truncated: string | null; view: ContainerView },
  deps: StreamDeps,
  signal: AbortSignal,
): Promise<Seal | null> {
  const again = truncated === null ? await readAgain(view, source, writer, deps, signal) : null;
  if (signal.aborted) return null;
  const stored = await addUp(writer, again?.kind === "digest" ? again.digest.lines : 0, deps);
  if (stored === null) return null;
  const verified = again === null ? null : again.kind === "end" ? "suffix" : agreement(again.digest, stored);
  return { ...stored.all, verified, verifiedBy: verified === null ? null : source, truncated };
}

interface Stored {
  all: Digest;
  /** Of the last lines, as many as the source still had; null where it has more. */
  end: Digest | null;
}

function agreement(again: Digest, { all, end }: Stored): Seal["verified"] {
  if (again.lines === all.lines && again.sha256 === all.sha256) return "full";
  return end !== null && again.lines > 0 && again.sha256 === end.sha256 ? "suffix" : null;
}

async function addUp(writer: StreamWriter, lastLines: number, deps: StreamDeps): Promise<Stored | null> {
  const { record, storedSeq } = writer;
  const all = new OutputDigest();
  const end = new OutputDigest();
  const from = storedSeq - lastLines;
  const whole = await compact(record, record.fence, { fromSeq: 0, untilSeq: storedSeq }, deps, (chunk) => {
    all.add(chunk);
    if (from > 0 && chunk.firstSeq + chunk.lines > from) end.add(chunk, Math.max(0, from - chunk.firstSeq));
  });
  if (!whole) return null;
  return { all: all.result(), end: from < 0 ? null : from === 0 ? all.result() : end.result() };
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
