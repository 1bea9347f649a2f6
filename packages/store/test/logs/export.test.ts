import type { LogEntry } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { query, sharedStore } from "../support.ts";
import { claimRun, countedLines, show, streamsOf, T0, TestWriter } from "./support.ts";
import { storeWorld, world, worldEntries } from "./world.ts";

const fixture = sharedStore();
const never = new AbortController().signal;

async function collect(pieces: AsyncIterable<LogEntry[]>): Promise<string[]> {
  const texts: string[] = [];
  for await (const piece of pieces) {
    expect(piece.length).toBeGreaterThan(0);
    expect(piece.length).toBeLessThanOrEqual(1010);
    texts.push(...piece.map(show));
  }
  return texts;
}

describe("exportMerged and exportStream", () => {
  test("give everything in the one order, or that of one stream, with its gaps", async () => {
    await fc.assert(
      fc.asyncProperty(world, async (streams) => {
        const listed = await storeWorld(fixture, streams);
        const entries = worldEntries(streams);
        expect(await collect(fixture.store.exportMerged(listed, never))).toEqual(entries.map(({ text }) => text));
        for (const stream of listed) {
          const own = entries.filter(({ key }) => key.ordinal === stream.ordinal).map(({ text }) => text);
          expect(await collect(fixture.store.exportStream(stream, never))).toEqual(own);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("come in pieces, also of lines that are very many or very long", async () => {
    const { step, team, runId } = await claimRun(fixture);
    const small = await TestWriter.open(fixture, step, { restart: 0 });
    await small.write(countedLines("x", 25_000));
    const large = await TestWriter.open(fixture, step, { restart: 1 });
    const text = "y".repeat(600_000);
    await large.write(
      Array.from({ length: 6 }, (_, i) => ({ text, time: T0 + BigInt(i) })),
      { linesPerChunk: 3 },
    );
    const sizes: number[] = [];
    let lines = 0;
    for await (const piece of fixture.store.exportMerged(await streamsOf(fixture, team, runId), never)) {
      lines += piece.length;
      sizes.push(piece.reduce((sum, entry) => sum + (entry.kind === "line" ? entry.bytes.length : 0), 0));
    }
    expect(lines).toBe(25_006);
    expect(Math.max(...sizes)).toBeLessThan(1024 * 1024 + 600_000);
  });

  test("chunks that are replaced meanwhile change nothing", async () => {
    const { step, team, runId } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    const empty = writer.record;
    const lines = countedLines("line", 3_000);
    await writer.write(lines, { linesPerChunk: 1 });
    const streams = await streamsOf(fixture, team, runId);
    const pieces = fixture.store.exportMerged(streams, never)[Symbol.asyncIterator]();
    const first = await pieces.next();
    writer.record = empty;
    const { chunks } = await writer.commit(lines);
    expect(await fixture.store.replaceChunks(empty, empty.fence, chunks[0]!)).toBe(true);
    const rest = await collect({ [Symbol.asyncIterator]: () => pieces });
    const all = [...(first.value as LogEntry[]).map(show), ...rest];
    expect(all).toEqual(lines.map(({ text }, seq) => `0:${seq} ${text.toString()}`));
  });

  test("end in an error, not in silence, when lines are deleted meanwhile", async () => {
    const { step, team, runId } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    await writer.write(countedLines("line", 3_000), { linesPerChunk: 1 });
    const streams = await streamsOf(fixture, team, runId);
    const pieces = fixture.store.exportMerged(streams, never)[Symbol.asyncIterator]();
    await pieces.next();
    await query(fixture.url, "delete from log_chunks");
    await expect(collect({ [Symbol.asyncIterator]: () => pieces })).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("hold no connection while nobody asks", async () => {
    const { step, team, runId } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    await writer.write(countedLines("line", 3_000), { linesPerChunk: 1 });
    const streams = await streamsOf(fixture, team, runId);
    const idle = Array.from({ length: 12 }, () => fixture.store.exportMerged(streams, never)[Symbol.asyncIterator]());
    await Promise.all(idle.map((pieces) => pieces.next()));
    expect(await fixture.store.readTail(streams[0]!, { lines: 1, bytes: 100 })).toMatchObject({
      cutBy: expect.any(String),
    });
    for (const pieces of idle) await pieces.return?.();
  });
});
