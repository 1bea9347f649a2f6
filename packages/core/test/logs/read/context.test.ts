import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contextReach, pageContext, type Context, type ContextQuestion } from "@tailrace/core";

type Direction = "forward" | "backward";

interface Asked {
  /** For each line whether it matches. */
  lines: boolean[];
  before: number;
  after: number;
  limit: number;
  /** How many lines a page may be made of. */
  width: number;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  lines: fc.array(fc.boolean(), { maxLength: 30 }),
  before: fc.nat({ max: 4 }),
  after: fc.nat({ max: 4 }),
  limit: fc.integer({ min: 1, max: 4 }),
  width: fc.integer({ min: 1, max: 40 }),
});

/** All lines that are a match or stand beside one. */
function everything({ lines, before, after }: Asked): number[] {
  return [...lines.keys()].filter((seq) =>
    lines.some((matches, match) => matches && match - before <= seq && seq <= match + after),
  );
}

/** A page of a stream of its own: at most `limit` matches from a place on, and what stands beside them. */
function readPage(ask: Asked, place: number, direction: Direction): Context & { shown: number[] } {
  const { lines, before, after, limit, width } = ask;
  const all = [...lines.keys()].filter((seq) => lines[seq]);
  const window =
    direction === "forward"
      ? { from: place, until: Math.min(lines.length, place + width) }
      : { from: Math.max(0, place - width), until: place };
  const ahead = all.filter((seq) => window.from <= seq && seq < window.until);
  const matches = direction === "forward" ? ahead.slice(0, limit) : ahead.slice(-limit);
  const full = matches.length === limit;
  const from = direction === "backward" && full ? matches[0]! : window.from;
  const until = direction === "forward" && full ? matches.at(-1)! + 1 : window.until;
  const question: Omit<ContextQuestion, "others"> = { matches, before, after, from, until, lines: lines.length };
  const { earlier, later } = contextReach(question, direction);
  // Only what is in reach may be known: the answer must not depend on anything else.
  const others = all.filter((seq) => [earlier, later].some((range) => range.from <= seq && seq < range.until));
  const context = pageContext({ ...question, others }, direction);
  return { ...context, shown: [...matches, ...context.lines].toSorted((a, b) => a - b) };
}

function readPages(ask: Asked, start: number, direction: Direction): number[][] {
  const pages: number[][] = [];
  for (let place = start; direction === "forward" ? place < ask.lines.length : place > 0;) {
    const page = readPage(ask, place, direction);
    pages.push(page.shown);
    const next = direction === "forward" ? page.until : page.from;
    expect(direction === "forward" ? next > place : next < place).toBe(true);
    place = next;
  }
  return pages;
}

describe("the context of pages", () => {
  test("that are read one after the other is everything, once, and in order", () => {
    fc.assert(
      fc.property(asked, (ask) => {
        expect(readPages(ask, 0, "forward").flat()).toEqual(everything(ask));
        expect(readPages(ask, ask.lines.length, "backward").toReversed().flat()).toEqual(everything(ask));
      }),
      { numRuns: 5000 },
    );
  });

  test("that are read from any place to both sides is everything, once", () => {
    fc.assert(
      fc.property(asked, fc.nat({ max: 30 }), (ask, somewhere) => {
        const place = Math.min(somewhere, ask.lines.length);
        const shown = [...readPages(ask, place, "backward"), ...readPages(ask, place, "forward")].flat();
        expect(shown.toSorted((a, b) => a - b)).toEqual(everything(ask));
      }),
      { numRuns: 5000 },
    );
  });

  test("of a stream that grows between the pages is everything, once, and in order", () => {
    const growth = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 });
    fc.assert(
      fc.property(asked, growth, (ask, steps) => {
        const shown: number[] = [];
        let place = 0;
        let length = 0;
        for (const step of [...steps, ask.lines.length]) {
          length = Math.min(ask.lines.length, length + step);
          const now = { ...ask, lines: ask.lines.slice(0, length) };
          while (place < length) {
            const page = readPage(now, place, "forward");
            shown.push(...page.shown);
            place = page.until;
          }
        }
        expect(shown).toEqual(everything(ask));
      }),
      { numRuns: 5000 },
    );
  });

  test("behind a match comes with it, also where its page ends before", () => {
    const ask: Asked = {
      lines: [false, false, true, false, false, false, true],
      before: 1,
      after: 2,
      limit: 1,
      width: 99,
    };
    expect(readPages(ask, 0, "forward")).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(readPages(ask, 7, "backward")).toEqual([[5, 6], [1, 2, 3, 4], []]);
  });

  test("is that of a match before the page where there is none on it", () => {
    const question = { matches: [], others: [1], before: 3, after: 3, from: 2, until: 7, lines: 9 };
    for (const direction of ["forward", "backward"] as const) {
      expect(pageContext(question, direction)).toEqual({ lines: [2, 3, 4], from: 2, until: 7 });
      expect(contextReach(question, direction)).toEqual({
        earlier: { from: 0, until: 2 },
        later: { from: 7, until: 7 },
      });
    }
  });
});
