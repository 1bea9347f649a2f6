import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CHUNK_BYTES,
  ChunkBuilder,
  ChunkLines,
  runningMaximum,
  STDERR,
  toNanos,
  UNFINISHED,
  type Chunk,
} from "../../../src/index.ts";
import { utf8 } from "../model/bytes.ts";
import { checkChunks } from "../model/chunk-check.ts";
import { GarbagePool } from "../model/pool.ts";

interface Line {
  bytes: Uint8Array;
  seconds: number;
  nanos: number;
  flags: number;
}

const START = { nextSeq: 0, priorTime: null, standardStreams: true };

function add(builder: ChunkBuilder, { bytes, seconds, nanos, flags }: Line): void {
  builder.reserve(bytes.length);
  builder.bytes.set(bytes, builder.end);
  builder.line(builder.end + bytes.length, seconds, nanos, flags);
}

function text(line: string, seconds = 1_795_528_465, nanos = 0, flags = 0): Line {
  return { bytes: utf8(line), seconds, nanos, flags };
}

function walk(chunk: Chunk): Line[] {
  const lines: Line[] = [];
  for (const at = new ChunkLines(chunk); at.next();) {
    expect(at.seq).toBe(chunk.firstSeq + lines.length);
    expect(at.time).toBe(toNanos(at.seconds, at.nanos));
    const { seconds, nanos, flags } = at;
    lines.push({ bytes: chunk.payload.slice(at.start, at.end), seconds, nanos, flags });
  }
  return lines;
}

const line: fc.Arbitrary<Line> = fc.record({
  bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.map((byte) => (byte === 0x0a ? 0x0b : byte))),
  seconds: fc.integer({ min: 1_795_000_000, max: 1_795_400_000 }),
  nanos: fc.nat(999_999_999),
  flags: fc.nat(3),
});

describe("ChunkBuilder", () => {
  test("lines come back as they were put in, in whatever chunks they were taken", () => {
    fc.assert(
      fc.property(fc.array(fc.array(line, { maxLength: 8 }), { maxLength: 6 }), (parts) => {
        const builder = new ChunkBuilder(new GarbagePool(), START);
        const chunks = parts.flatMap((part) => {
          for (const each of part) add(builder, each);
          return builder.take() ?? [];
        });
        expect(chunks.flatMap(walk)).toEqual(parts.flat());
        expect(checkChunks(chunks)).toHaveLength(parts.flat().length);
        expect(builder.nextSeq).toBe(parts.flat().length);
      }),
    );
  });

  test("nothing comes of no lines", () => {
    expect(new ChunkBuilder(new GarbagePool(), START).take()).toBeNull();
  });

  test("goes on where a stream stands", () => {
    const priorTime = { seconds: 2_000_000_000, nanos: 5 };
    const builder = new ChunkBuilder(new GarbagePool(), { nextSeq: 41, priorTime, standardStreams: false });
    add(builder, text("a", 1_999_999_999, 7));
    const chunk = builder.take()!;
    expect(chunk).toMatchObject({
      firstSeq: 41,
      lines: 1,
      standardStreams: false,
      priorTime: toNanos(2_000_000_000, 5),
    });
    expect(runningMaximum(chunk)).toBe(toNanos(2_000_000_000, 5));
    add(builder, text("b", 2_000_000_001, 0));
    expect(builder.take()).toMatchObject({ firstSeq: 42, priorTime: toNanos(2_000_000_000, 5) });
    add(builder, text("c", 2_000_000_000, 0));
    expect(builder.take()).toMatchObject({ firstSeq: 43, priorTime: toNanos(2_000_000_001, 0) });
  });

  test("forgets what is discarded, with its notes and levels", () => {
    const builder = new ChunkBuilder(new GarbagePool(), START);
    add(builder, text("level=error glued"));
    builder.note(3, 4);
    builder.discard();
    add(builder, text("kept"));
    const chunk = builder.take()!;
    expect(walk(chunk)).toEqual([text("kept")]);
    expect(chunk).toMatchObject({ firstSeq: 0, levels: 64, outputBytes: 5 });
    expect(chunk.payloadBytes).toBe(chunk.lineBytes + chunk.timeBytes);
  });

  test("counts the newlines that the container wrote", () => {
    const builder = new ChunkBuilder(new GarbagePool(), START);
    add(builder, text("four", 1_795_528_465, 0, STDERR));
    add(builder, text("four", 1_795_528_465, 0, UNFINISHED));
    expect(builder.take()).toMatchObject({ lineBytes: 10, outputBytes: 9 });
  });

  test("is full at a mebibyte", () => {
    const builder = new ChunkBuilder(new GarbagePool(), START);
    add(builder, { ...text(""), bytes: new Uint8Array(CHUNK_BYTES - 2) });
    expect(builder.full).toBe(false);
    add(builder, text(""));
    expect(builder.full).toBe(true);
    builder.take();
    expect(builder.full).toBe(false);
  });

  test("a line from days away is told to be too far, and one just within reach is kept", () => {
    const builder = new ChunkBuilder(new GarbagePool(), START);
    expect(builder.tooFar(0)).toBe(false);
    const far = Math.floor(2 ** 49 / 1e9);
    const lines = [text("a", 1_000_000_000, 999_999_999), text("b", 1_000_000_000 + far), text("c", 1_000_000_000, 1)];
    add(builder, lines[0]!);
    expect(builder.tooFar(1_000_000_000 + far + 1)).toBe(true);
    expect(builder.tooFar(1_000_000_000 - far - 1)).toBe(true);
    expect(builder.tooFar(1_000_000_000 + far)).toBe(false);
    add(builder, lines[1]!);
    add(builder, lines[2]!);
    expect(walk(builder.take()!)).toEqual(lines);
  });
});

describe("ChunkLines", () => {
  test("says so where the payload has too few lines", () => {
    const builder = new ChunkBuilder(new GarbagePool(), START);
    add(builder, text("one"));
    add(builder, text("two"));
    const chunk = builder.take()!;
    expect(() => walk({ ...chunk, lineBytes: 4 })).toThrow("line 1 has no end");
  });
});
