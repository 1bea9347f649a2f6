import type { ChunkRange, StoredChunk } from "@tailrace/core";
import { describe, expect, test } from "vitest";
import { query, sharedStore } from "../support.ts";
import {
  buildChunks,
  claimRun,
  countedLines,
  readAllTexts,
  storeAll,
  T0,
  takeStep,
  TestWriter,
  texts,
} from "./support.ts";

const fixture = sharedStore();

/** A stream of 30 lines in chunks of 3. */
async function openThirty(): Promise<TestWriter> {
  const writer = await TestWriter.open(fixture, (await claimRun(fixture)).step);
  await writer.write(countedLines("line", 30), { linesPerChunk: 3 });
  return writer;
}

async function build(from: number, count: number): Promise<StoredChunk> {
  const priorTime = from === 0 ? null : T0 + BigInt(from - 1) * 1_000_000n;
  const [chunk] = await storeAll(buildChunks(countedLines("line", count, from), { nextSeq: from, priorTime }));
  return chunk!;
}

describe("readChunks", () => {
  test.each<[ChunkRange | undefined, number[]]>([
    [undefined, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]],
    [{ fromSeq: 0, untilSeq: 3 }, [0]],
    [{ fromSeq: 2, untilSeq: 4 }, [0, 3]],
    [{ fromSeq: 3, untilSeq: 3 }, []],
    [{ fromSeq: 25 }, [24, 27]],
    [{ fromSeq: 30 }, []],
    [{ untilSeq: 4, newestFirst: true }, [3, 0]],
    [{ newestFirst: true }, [27, 24, 21, 18, 15, 12, 9, 6, 3, 0]],
    [{ fromSeq: 7, untilSeq: 14, newestFirst: true }, [12, 9, 6]],
    [{ fromTime: T0 + 20_000_000n }, [18, 21, 24, 27]],
    [{ fromTime: T0 + 20_000_001n }, [21, 24, 27]],
    [{ fromTime: T0 + 10n ** 18n }, []],
  ])("gives the chunks that overlap %o", async (range, expected) => {
    const { record } = await openThirty();
    const read: number[] = [];
    for await (const chunk of fixture.store.readChunks(record, range)) read.push(chunk.firstSeq);
    expect(read).toEqual(expected);
  });

  test("may be left before its end", async () => {
    const { record } = await openThirty();
    for (let i = 0; i < 30; i++)
      for await (const chunk of fixture.store.readChunks(record)) if (chunk.firstSeq === 0) break;
  });
});

describe("replaceChunks", () => {
  test("puts one chunk in the place of those with the same lines, and a repeated one changes nothing", async () => {
    const { store } = fixture;
    const { record } = await openThirty();
    for (let i = 0; i < 2; i++) {
      expect(await store.replaceChunks(record, record.fence, await build(6, 12))).toBe(true);
      const firsts: number[] = [];
      for await (const chunk of store.readChunks(record)) firsts.push(chunk.firstSeq);
      expect(firsts).toEqual([0, 3, 6, 18, 21, 24, 27]);
    }
    expect(await store.replaceChunks(record, record.fence, await build(0, 30))).toBe(true);
    expect(await readAllTexts(store, record)).toEqual(texts(countedLines("line", 30)));
    expect(await query(fixture.url, "select count(*)::int as rows from log_chunks")).toEqual([{ rows: 1 }]);
  });

  test.each([
    ["begins within a chunk", 1, 5],
    ["ends within a chunk", 0, 5],
    ["goes beyond the end", 27, 6],
    ["is of lines that are not there", 30, 3],
  ])("leaves everything as it is where the chunk %s", async (_, from, count) => {
    const { store } = fixture;
    const { record } = await openThirty();
    expect(await store.replaceChunks(record, record.fence, await build(from, count))).toBe(false);
    expect(await readAllTexts(store, record)).toEqual(texts(countedLines("line", 30)));
  });

  test("leaves everything as it is where the chunk has other bytes", async () => {
    const { store } = fixture;
    const { record } = await openThirty();
    const chunk = await build(0, 6);
    expect(await store.replaceChunks(record, record.fence, { ...chunk, outputBytes: chunk.outputBytes + 1 })).toBe(
      false,
    );
    expect(await readAllTexts(store, record)).toEqual(texts(countedLines("line", 30)));
  });

  test("is for the stream's holder alone", async () => {
    const { store } = fixture;
    const { record, ...rest } = await openThirty();
    void rest;
    const fence = await takeStep(fixture, record.stepId);
    const taken = await store.openStream({ stepId: record.stepId, fence, instance: record.instance });
    expect(await store.replaceChunks(record, record.fence, await build(0, 30))).toBe(false);
    expect(await store.replaceChunks(record, taken!.fence, await build(0, 30))).toBe(true);
  });

  test("loses nothing where several overlap at the same time", async () => {
    const { store } = fixture;
    for (let round = 0; round < 5; round++) {
      const { record } = await openThirty();
      const chunks = await Promise.all([
        build(0, 6),
        build(0, 12),
        build(6, 12),
        build(3, 27),
        build(0, 30),
        build(12, 6),
      ]);
      await Promise.all(chunks.map((chunk) => store.replaceChunks(record, record.fence, chunk)));
      expect(await readAllTexts(store, record)).toEqual(texts(countedLines("line", 30)));
    }
  });
});
