import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newLines } from "../src/follow/new-lines.ts";

/** Two snapshots of one growing log: its last `limit` lines before and after it grew. */
function snapshots(log: readonly string[], seen: number, limit: number): [earlier: string[], later: string[]] {
  return [log.slice(0, seen).slice(-limit), log.slice(-limit)];
}

const growth = fc
  .record({
    size: fc.nat(60),
    limit: fc.integer({ min: 1, max: 30 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ size, limit, part }) => ({ size, limit, seen: Math.floor(size * part) }));

describe("newLines", () => {
  it("finds exactly what was added while the snapshots overlap, and says so when they do not", () => {
    fc.assert(
      fc.property(growth, ({ size, limit, seen }) => {
        const log = Array.from({ length: size }, (_, index) => `line ${index};`);
        const [earlier, later] = snapshots(log, seen, limit);
        const added = size - seen;
        const overlaps = seen === 0 || added < limit;
        expect(newLines(earlier, later)).toEqual({
          lines: log.slice(-added || size).slice(-limit),
          missing: !overlaps,
        });
      }),
    );
  });

  it("never repeats a line and never invents one in a log that repeats itself", () => {
    fc.assert(
      fc.property(
        growth,
        fc.array(fc.constantFrom("a", "b", ""), { minLength: 60, maxLength: 60 }),
        (given, letters) => {
          const log = letters.slice(0, given.size);
          const [earlier, later] = snapshots(log, given.seen, given.limit);
          const { lines, missing } = newLines(earlier, later);
          expect(later.slice(later.length - lines.length)).toEqual(lines);
          expect(lines.length).toBeLessThanOrEqual(given.seen === 0 ? log.length : log.length - given.seen);
          if (!missing && earlier.length > 0) expect([...earlier, ...lines].slice(-later.length)).toEqual(later);
        },
      ),
    );
  });

  it("gives a line that was cut short again when it is whole", () => {
    expect(newLines(["a", "b", "par"], ["a", "b", "partial", "c"])).toEqual({
      lines: ["partial", "c"],
      missing: false,
    });
    expect(newLines(["par"], ["partial"])).toEqual({ lines: ["partial"], missing: false });
    expect(newLines(["b", "par"], ["b", "partial"])).toEqual({ lines: ["partial"], missing: false });
  });

  it("does not take one line that begins like another for an overlap", () => {
    expect(newLines(["x", "time=1"], ["time=10", "y"])).toEqual({ lines: ["time=10", "y"], missing: true });
    expect(newLines(["x", ""], ["y", "z"])).toEqual({ lines: ["y", "z"], missing: true });
  });

  it("takes a read without lines for no news", () => {
    expect(newLines(["a"], [])).toEqual({ lines: [], missing: false });
  });
});
