import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bucketWidth,
  compareKeys,
  dividingTime,
  firstKey,
  fromNanos,
  lastKey,
  RunningMaximum,
  type LineKey,
} from "@tailrace/core";

const key: fc.Arbitrary<LineKey> = fc.record({
  time: fc.bigInt(0n, 3n),
  ordinal: fc.nat({ max: 3 }),
  seq: fc.nat({ max: 3 }),
});

describe("compareKeys", () => {
  test("is by time, then by the stream's place, then by seq", () => {
    const keys: LineKey[] = [
      { time: 1n, ordinal: 0, seq: 9 },
      { time: 2n, ordinal: 0, seq: 3 },
      { time: 2n, ordinal: 0, seq: 4 },
      { time: 2n, ordinal: 1, seq: 0 },
      { time: 10n, ordinal: 0, seq: 0 },
    ];
    expect(keys.toReversed().toSorted(compareKeys)).toEqual(keys);
    for (const each of keys) expect(compareKeys(each, { ...each })).toBe(0);
  });

  test("is the other way round for the other way round", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(compareKeys(a, b) < 0).toBe(compareKeys(b, a) > 0);
        expect(compareKeys(a, b) === 0).toBe(compareKeys(b, a) === 0);
      }),
    );
  });
});

test("dividingTime tells whether a line of another stream comes before a key", () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      fc.pre(one.ordinal !== other.ordinal);
      expect(other.time < dividingTime(one, other.ordinal)).toBe(compareKeys(other, one) < 0);
    }),
  );
});

test("a chunk's keys are those of its first and its last line", () => {
  const times = fc.array(fc.bigInt(0n, 20n), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(times, times, fc.nat({ max: 5 }), (before, own, ordinal) => {
      const max = (values: readonly bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b));
      const chunk = {
        firstSeq: before.length,
        lines: own.length,
        firstTime: own[0]!,
        maxTime: max(own),
        priorTime: max(before),
      };
      const all = [...before, ...own];
      expect(firstKey(ordinal, chunk)).toEqual({
        time: max(all.slice(0, before.length + 1)),
        ordinal,
        seq: before.length,
      });
      expect(lastKey(ordinal, chunk)).toEqual({ time: max(all), ordinal, seq: all.length - 1 });
    }),
  );
});

test("the running maximum never falls, and is the greatest time so far", () => {
  const times = fc.array(fc.bigInt(0n, 5_000_000_000n), { maxLength: 20 });
  fc.assert(
    fc.property(fc.bigInt(0n, 5_000_000_000n), times, (prior, all) => {
      const running = new RunningMaximum(prior);
      let greatest = prior;
      for (const time of all) {
        running.update({ seconds: Number(time / 1_000_000_000n), nanos: Number(time % 1_000_000_000n) });
        if (time > greatest) greatest = time;
        expect(running.time).toBe(greatest);
        expect(running.milliseconds).toBeCloseTo(Number(greatest) / 1e6, 5);
        for (const other of all) expect(running.reaches(fromNanos(other))).toBe(greatest >= other);
      }
    }),
  );
});

describe("bucketWidth", () => {
  const seconds = (count: number): bigint => BigInt(count) * 1_000_000_000n;

  test.each([
    [0, 1],
    [0.05, 1],
    [1, 20],
    [60, 1_000],
    [61, 2_000],
    [3_600, 60_000],
    [86_400, 1_800_000],
    [86_400 * 90, 86_400_000 * 2],
  ])("for %d seconds is %i ms", (span, width) => {
    expect(bucketWidth(0n, BigInt(Math.round(span * 1e9)))).toBe(width);
  });

  test("gives about 60 buckets at most, for any span", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (span) => {
        const width = bucketWidth(seconds(5), seconds(5 + span));
        expect(width).toBeGreaterThanOrEqual(1);
        expect((span * 1000) / width).toBeLessThanOrEqual(60);
      }),
    );
  });
});
