import { randomBytes } from "node:crypto";
import { ChunkError, ChunkLines, type Chunk } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openStoredChunkSync } from "../../src/logs/codec.ts";
import { openStoredChunk, storeChunk } from "../../src/index.ts";
import { buildChunks, countedLines, T0 } from "./support.ts";

function only(chunks: readonly Chunk[]): Chunk {
  expect(chunks).toHaveLength(1);
  return chunks[0]!;
}

const meta = (chunk: Chunk): object => ({ ...chunk, payload: undefined });

describe("storeChunk and openStoredChunk", () => {
  test("give back any lines, also bytes that are no text", async () => {
    const line = fc.record({
      text: fc.uint8Array({ maxLength: 300 }).map((bytes) => bytes.filter((byte) => byte !== 0x0a)),
      time: fc.bigInt(T0, T0 + 10n ** 12n),
      flags: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 40 }), async (lines) => {
        const chunk = only(buildChunks(lines));
        const stored = await storeChunk(chunk);
        for (const opened of [await openStoredChunk(stored), openStoredChunkSync(stored)]) {
          expect(meta(opened)).toEqual(meta(chunk));
          expect(Buffer.compare(opened.payload, chunk.payload)).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("compress log lines, and leave alone what is small or can't be compressed", async () => {
    const large = await storeChunk(only(buildChunks(countedLines("level=info msg=checkout", 5000))));
    expect(large.codec).toBe("zstd");
    expect(large.data.length).toBeLessThan(large.payloadBytes / 5);
    const small = await storeChunk(only(buildChunks(countedLines("x", 3))));
    expect(small.codec).toBe("none");
    const text = Buffer.from(randomBytes(4096).filter((byte) => byte !== 0x0a));
    expect((await storeChunk(only(buildChunks([{ text, time: T0 }])))).codec).toBe("none");
  });

  test("share no memory with the chunk's payload, which goes back to its pool", async () => {
    for (const count of [3, 100, 5000]) {
      const chunk = only(buildChunks(countedLines("x", count)));
      const stored = await storeChunk(chunk);
      const before = Buffer.from(chunk.payload);
      chunk.payload.fill(0xff);
      expect(Buffer.compare((await openStoredChunk(stored)).payload, before)).toBe(0);
    }
  });

  test.each([3, 100, 5000])(
    "a chunk of %i lines is never opened as another one, whichever byte is damaged",
    async (count) => {
      const chunk = only(buildChunks(countedLines("line", count)));
      const stored = await storeChunk(chunk);
      const open = (data: Uint8Array): Promise<unknown> =>
        openStoredChunk({ ...stored, data }).catch((error: unknown) => error);
      const openSync = (data: Uint8Array): unknown => {
        try {
          return openStoredChunkSync({ ...stored, data });
        } catch (error) {
          return error;
        }
      };
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: stored.data.length - 1 }),
          fc.integer({ min: 1, max: 255 }),
          async (at, change) => {
            const data = new Uint8Array(stored.data);
            data[at]! ^= change;
            for (const opened of [await open(data), openSync(data)])
              if (opened instanceof ChunkError) refused += 1;
              // A few bits of a frame's head mean nothing.
              else expect(Buffer.compare((opened as Chunk).payload, chunk.payload)).toBe(0);
          },
        ),
        { numRuns: 200 },
      );
      expect(refused).toBeGreaterThan(360);
    },
  );

  test.each([3, 100, 5000])("a chunk of %i lines whose row is not its own is refused", async (count) => {
    const stored = await storeChunk(only(buildChunks(countedLines("line", count))));
    const wrong = [
      { data: stored.data.subarray(0, stored.data.length - 1) },
      { payloadBytes: stored.payloadBytes - 1 },
      { payloadBytes: stored.payloadBytes + 1 },
      { lineBytes: stored.payloadBytes },
    ];
    await expect(openStoredChunk({ ...stored, checksum: stored.checksum ^ 1 })).rejects.toThrow(ChunkError);
    for (const change of wrong) {
      await expect(openStoredChunk({ ...stored, ...change })).rejects.toThrow(ChunkError);
      expect(() => openStoredChunkSync({ ...stored, ...change })).toThrow(ChunkError);
    }
  });

  test("what was opened can be walked through", async () => {
    const opened = await openStoredChunk(await storeChunk(only(buildChunks(countedLines("line", 1000)))));
    let last = "";
    for (const lines = new ChunkLines(opened); lines.next();)
      last = Buffer.from(opened.payload.subarray(lines.start, lines.end)).toString();
    expect(last).toBe("line 999");
  });
});
