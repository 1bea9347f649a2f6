import type { LogPlace, LogStream } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PageOrigin, noteTruncations } from "../src/logs/truncations.ts";
import { logStream } from "./log-stream.ts";

/** A stream with where the store's places of it end: one behind its lines where a gap stands at its end. */
interface Model {
  stream: LogStream;
  end: number;
}

const models = fc
  .array(fc.record({ lines: fc.nat(4), truncated: fc.boolean(), gap: fc.boolean(), gapAtEnd: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((all) =>
    all.map(({ lines, truncated, gap, gapAtEnd }, ordinal): Model => ({
      stream: logStream({ ordinal, lines, truncated: truncated ? "gone" : null, gaps: Number(gap) + Number(gapAtEnd) }),
      end: lines + Number(gapAtEnd),
    })),
  );

/** How far each page goes in each stream; what is left after the last is one page. */
const steps = fc.array(fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }), { maxLength: 6 });

interface Answer {
  start: number[];
  end: number[];
  atEnd: boolean;
}

/** What the store answers: places are within the streams, whatever it was asked. */
function answer(all: readonly Model[], from: LogPlace, step: readonly number[] | undefined, back: boolean): Answer {
  const near = all.map(({ end }, at) => Math.min(from[at]!, end));
  const far = near.map((seq, at) => {
    if (step === undefined) return back ? 0 : all[at]!.end;
    return back ? Math.max(0, seq - step[at]!) : Math.min(all[at]!.end, seq + step[at]!);
  });
  const atEnd = far.every((seq, at) => seq === (back ? 0 : all[at]!.end));
  return back ? { start: far, end: near, atEnd } : { start: near, end: far, atEnd };
}

/** Reads all pages one way. @returns which streams' truncations each page has shown, and the places between them */
function read(all: readonly Model[], pages: readonly number[][], direction: "forward" | "backward") {
  const back = direction === "backward";
  const streams = all.map(({ stream }) => stream);
  const shown: number[][] = [];
  const places: LogPlace[] = [];
  let place: LogPlace = all.map(({ end }) => (back ? end : 0));
  let origin: PageOrigin = "edge";
  for (const step of [...pages, undefined]) {
    const page = answer(all, place, step, back);
    const noted = noteTruncations(streams, page, { direction, origin });
    shown.push(noted.truncated.map(({ ordinal }) => ordinal));
    place = back ? noted.start : noted.end;
    places.push(place);
    origin = { place };
  }
  return { shown, places };
}

describe("truncations", () => {
  it.each(["forward", "backward"] as const)("are each on one page, read %s", (direction) => {
    fc.assert(
      fc.property(models, steps, (all, pages) => {
        const { shown } = read(all, pages, direction);
        const truncated = all.filter(({ stream }) => stream.truncated !== null).map(({ stream }) => stream.ordinal);
        expect(shown.flat().toSorted((a, b) => a - b)).toEqual(truncated);
      }),
      { numRuns: 2000 },
    );
  });

  it("are behind a stream's last line and gap", () => {
    fc.assert(
      fc.property(models, steps, (all, pages) => {
        const { shown, places } = read(all, pages, "forward");
        for (const [page, ordinals] of shown.entries())
          for (const ordinal of ordinals) {
            expect(places[page]![ordinal]).toBe(all[ordinal]!.stream.lines + 2);
            if (page > 0) expect(places[page - 1]![ordinal]).toBeLessThan(all[ordinal]!.stream.lines + 2);
          }
      }),
      { numRuns: 1000 },
    );
  });

  it("are on the same page when a reader turns round", () => {
    fc.assert(
      fc.property(models, steps, (all, pages) => {
        const { shown, places } = read(all, pages, "forward");
        const streams = all.map(({ stream }) => stream);
        // Back over the last page, from its end to its start.
        const before = places.at(-2) ?? all.map(() => 0);
        const last = places.at(-1)!;
        const end = all.map((model, at) => Math.min(last[at]!, model.end));
        const start = all.map((model, at) => Math.min(before[at]!, model.end));
        const back = noteTruncations(
          streams,
          { start, end, atEnd: false },
          { direction: "backward", origin: { place: last } },
        );
        const backShown = new Set(back.truncated.map(({ ordinal }) => ordinal));
        for (const ordinal of shown.at(-1)!)
          if (start[ordinal]! < end[ordinal]! || end[ordinal] === 0) expect(backShown).toContain(ordinal);
      }),
      { numRuns: 1000 },
    );
  });

  it("are left out by a page from a time on behind them, and by one up to a time before them", () => {
    const streams = [
      logStream({ ordinal: 0, truncated: "gone" }),
      logStream({ ordinal: 1, truncated: "gone" }),
      logStream({ ordinal: 2, truncated: "gone", lines: 0 }),
      logStream({ ordinal: 3, truncated: "gone", sealed: false }),
    ];
    const forward = noteTruncations(
      streams,
      { start: [10, 3, 0, 10], end: [10, 10, 0, 10], atEnd: true },
      { direction: "forward", origin: "time" },
    );
    expect(forward.truncated.map(({ ordinal }) => ordinal)).toEqual([1, 2]);
    expect(forward.end).toEqual([12, 12, 2, 10]);
    const backward = noteTruncations(
      streams,
      { start: [0, 0, 0, 0], end: [10, 9, 0, 10], atEnd: true },
      { direction: "backward", origin: "time" },
    );
    expect(backward.truncated.map(({ ordinal }) => ordinal)).toEqual([0, 2]);
  });
});
