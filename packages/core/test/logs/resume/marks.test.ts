import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Marks, type LineMark } from "../../../src/index.ts";

const mark: fc.Arbitrary<LineMark> = fc.record({
  seconds: fc.oneof(fc.integer({ min: 100, max: 110 }), fc.constant(2 ** 32 - 1)),
  nanos: fc.nat(999_999_999),
  high: fc.integer(),
  low: fc.integer(),
});

function content(marks: Marks, expected: readonly LineMark[]): void {
  expect(marks.length).toBe(expected.length);
  for (const [index, each] of expected.entries()) {
    expect([marks.seconds(index), marks.nanos(index), marks.is(index, each)]).toEqual([each.seconds, each.nanos, true]);
    expect(marks.is(index, { ...each, low: each.low ^ 1 })).toBe(false);
    expect(marks.is(index, { ...each, high: each.high ^ 1 })).toBe(false);
    expect(marks.is(index, { ...each, seconds: each.seconds - 1 })).toBe(false);
    expect(marks.is(index, { ...each, nanos: each.nanos + 1 })).toBe(false);
  }
}

describe("Marks", () => {
  test("is a list whose front may be dropped", () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.array(mark, { maxLength: 40 }).map((marks) => ({ do: "push" as const, marks })) },
      { weight: 3, arbitrary: fc.integer({ min: 99, max: 112 }).map((seconds) => ({ do: "drop" as const, seconds })) },
      fc.constant({ do: "clear" as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const marks = new Marks();
        let model: LineMark[] = [];
        for (const each of steps) {
          if (each.do === "push") {
            for (const line of each.marks) marks.push(line);
            model.push(...each.marks);
          } else if (each.do === "drop") {
            marks.dropBefore(each.seconds);
            const kept = model.findIndex(({ seconds }) => seconds >= each.seconds);
            model = kept === -1 ? [] : model.slice(kept);
          } else {
            marks.clear();
            model = [];
          }
          content(marks, model);
        }
        for (const seconds of [100, 105, 111])
          content(
            marks.since(seconds),
            model.filter((line) => line.seconds >= seconds),
          );
        content(marks, model);
      }),
    );
  });
});
