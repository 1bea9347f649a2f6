import type { LogStream } from "@tailrace/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/database.ts";
import { ChunkCache } from "../../src/logs/read/chunk-cache.ts";
import { readLiveStreams, type LiveStream } from "../../src/logs/read/live-streams.ts";
import { LogLines } from "../../src/logs/read/log-lines.ts";
import { OpenChunk } from "../../src/logs/read/open-chunk.ts";
import { quiet, sharedStore } from "../support.ts";
import { buildChunks, claimRun, countedLines, show, streamsOf, T0, TestWriter } from "./support.ts";

test("a chunk's lines and running maxima are those of a walk through it", () => {
  const line = fc.record({
    text: fc.string({ maxLength: 5 }).filter((text) => !text.includes("\n")),
    time: fc.bigInt({ min: -3n, max: 3n }).map((step) => T0 + step * 700_000_000n),
    flags: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), fc.option(fc.constant(T0)), (lines, priorTime) => {
      const [chunk] = buildChunks(lines, { nextSeq: 7, priorTime });
      const open = new OpenChunk(chunk!);
      expect(open.lines).toBe(lines.length);
      const walk = new LogLines(chunk!, 3);
      for (let index = 0; walk.next(); index++) {
        expect(open.line(index, 3)).toEqual(walk.line());
        expect(open.maximum(index)).toBe(walk.maximum);
      }
    }),
  );
});

describe("ChunkCache", () => {
  const fixture = sharedStore();
  let database: Database;
  beforeAll(() => {
    database = openDatabase({ databaseUrl: fixture.url, log: quiet });
  });
  afterAll(async () => {
    await database.close();
  });

  /** Chunks of ten lines. */
  async function storeTens(chunks: number): Promise<LiveStream> {
    const { step, team, runId } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    await writer.write(countedLines("line", chunks * 10), { linesPerChunk: 10 });
    const streams: LogStream[] = await streamsOf(fixture, team, runId);
    return (await readLiveStreams(database.pool, streams))[0]!;
  }

  async function open(cache: ChunkCache, stream: LiveStream, numbers: readonly number[]): Promise<OpenChunk[]> {
    const client = await database.pool.connect();
    try {
      const wanted = numbers.map((number) => ({ stream, place: { firstSeq: number * 10, lines: 10 } }));
      return await cache.open(client, wanted);
    } finally {
      client.release();
    }
  }

  test("gives chunks in the order in which they are wanted, those it has and others", async () => {
    const stream = await storeTens(4);
    const cache = new ChunkCache();
    const [second] = await open(cache, stream, [1]);
    const chunks = await open(cache, stream, [3, 1, 0]);
    expect(chunks.map((chunk) => show(chunk.line(0, 0)))).toEqual(["0:30 line 30", "0:10 line 10", "0:0 line 0"]);
    expect(chunks[1]).toBe(second);
  });

  test("keeps to its size, and drops what was not wanted for the longest time", async () => {
    const stream = await storeTens(3);
    const { size } = (await open(new ChunkCache(), stream, [0]))[0]!;
    const cache = new ChunkCache(size * 2.5);
    const [first, second] = await open(cache, stream, [0, 1]);
    expect((await open(cache, stream, [0]))[0]).toBe(first);
    await open(cache, stream, [2]);
    expect((await open(cache, stream, [0]))[0]).toBe(first);
    expect((await open(cache, stream, [1]))[0]).not.toBe(second);
  });

  test("gives what does not fit in too", async () => {
    const stream = await storeTens(2);
    const cache = new ChunkCache(1);
    expect((await open(cache, stream, [0, 1])).map(({ firstSeq }) => firstSeq)).toEqual([0, 10]);
  });
});
