import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CursorRun, MAX_CURSOR_LENGTH, decodeCursor, encodeCursor } from "../src/logs/cursor.ts";

type Stream = CursorRun["streams"][number];

function run(streams: Stream[], runId = "run-1"): CursorRun {
  return { runId, streams };
}

/** A stream, and a place that a reader can have in it. */
const standing = fc
  .record({
    lines: fc.nat(2 ** 40),
    sealed: fc.boolean(),
    at: fc.nat(3),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ lines, sealed, at, part }) => {
    const seq = [0, Math.floor(lines * part), lines, lines + (sealed ? Math.round(part * 2) : 0)][at]!;
    return { stream: { lines, sealed }, seq };
  });

/** Trailing streams that stand at their beginning are not named. */
function trimmed(place: readonly number[]): number[] {
  return place.slice(0, place.findLastIndex((seq) => seq !== 0) + 1);
}

describe("cursors", () => {
  it("stand for every stream's next seq, also when streams have grown and come since", () => {
    fc.assert(
      fc.property(
        fc.array(standing, { maxLength: 60 }),
        fc.nat(1000),
        fc.array(standing, { maxLength: 3 }),
        (all, more, later) => {
          const place = all.map(({ seq }) => seq);
          const cursor = encodeCursor(place, run(all.map(({ stream }) => stream)));
          const now = [...all, ...later].map(({ stream }, at) =>
            stream.sealed ? stream : { lines: stream.lines + more, sealed: at % 2 === 0 },
          );
          expect(decodeCursor(cursor!, run(now))).toEqual(trimmed(place));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("are short: a run of 10 runners", () => {
    const streams = Array.from({ length: 12 }, (_, at) => ({ lines: 5_000_000 + at, sealed: at < 2 }));
    const cursor = encodeCursor(
      streams.map(({ lines }, at) => (at < 2 ? lines : 4_000_000 + at)),
      run(streams),
    );
    expect(cursor!.length).toBeLessThan(70);
    expect(encodeCursor([], run(streams))).toHaveLength(7);
  });

  it("count sealed streams that were read to their end, and those that were not begun, as one", () => {
    const streams = Array.from({ length: 5000 }, (_, at) => ({ lines: at + 1, sealed: at < 4000 }));
    const place = streams
      .map(({ lines, sealed }, at) => (sealed ? lines + (at % 2000 < 3 ? at % 2000 : 0) : 0))
      .with(4500, 9);
    const cursor = encodeCursor(place, run(streams))!;
    expect(cursor.length).toBeLessThan(60);
    expect(decodeCursor(cursor, run(streams))).toEqual(trimmed(place));
  });

  it("are not made where they would be too long", () => {
    const reading = (count: number): string | null => {
      const streams = Array.from({ length: count }, () => ({ lines: 900_000, sealed: true }));
      return encodeCursor(
        streams.map((_, at) => 500_000 + at),
        run(streams),
      );
    };
    expect(reading(248)!.length).toBeLessThanOrEqual(MAX_CURSOR_LENGTH);
    expect(reading(249)).toBeNull();
  });

  it("belong to one run", () => {
    const streams = [{ lines: 10, sealed: true }];
    const cursor = encodeCursor([5], run(streams))!;
    expect(decodeCursor(cursor, run(streams))).toEqual([5]);
    expect(decodeCursor(cursor, run(streams, "run-2"))).toBeNull();
  });

  it("are refused, or are places that the run has, whatever they say", () => {
    const streams = [
      { lines: 10, sealed: true },
      { lines: 20, sealed: false },
      { lines: 0, sealed: true },
    ];
    const head = Buffer.from(encodeCursor([], run(streams))!, "base64url");
    const text = fc.oneof(
      fc.string(),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("base64url")),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.concat([head, bytes]).toString("base64url")),
      fc.array(fc.nat(100), { maxLength: 4 }).map((bytes) => Buffer.from([...head, ...bytes]).toString("base64url")),
    );
    fc.assert(
      fc.property(text, (cursor) => {
        const place = decodeCursor(cursor, run(streams));
        if (place === null) return;
        expect(place.length).toBeLessThanOrEqual(streams.length);
        for (const [ordinal, seq] of place.entries()) {
          const { lines, sealed } = streams[ordinal]!;
          expect(seq).toBeLessThanOrEqual(lines + (sealed ? 2 : 0));
        }
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ["nothing", ""],
    ["a text of another alphabet", "äöü"],
    ["padding", `${encodeCursor([5], run([{ lines: 10, sealed: true }]))}=`],
    ["a trailing byte without an end", Buffer.from([...headOf(), 0x80]).toString("base64url")],
    ["a run of streams that are not there", Buffer.from([...headOf(), 0xff, 0xff, 0xff, 0x7f]).toString("base64url")],
    ["a number that is none", Buffer.from([...headOf(), ...Array(9).fill(0xff), 1]).toString("base64url")],
    ["a seq that the stream has not reached", Buffer.from([...headOf(), 26]).toString("base64url")],
    ["an end of a stream that is not sealed", Buffer.from([...headOf(), 2, 0b1011]).toString("base64url")],
  ])("refuse %s", (_, cursor) => {
    const streams = [
      { lines: 10, sealed: true },
      { lines: 20, sealed: false },
    ];
    expect(decodeCursor(cursor, run(streams))).toBeNull();
  });
});

function headOf(): Uint8Array {
  return Buffer.from(encodeCursor([], run([]))!, "base64url");
}
