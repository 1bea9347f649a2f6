import { describe, expect, test } from "vitest";
import { closing, missingPods, type ClosingFacts } from "../src/index.ts";

const T0 = 1_764_000_000_000;
const normal = { status: "finished", deleteNow: false, stopping: false } as const;
const stopping = { status: "error", deleteNow: true, stopping: true } as const;

function facts(change: Partial<ClosingFacts>): ClosingFacts {
  const times = { now: T0, since: T0, progressAt: T0, blindSince: null };
  return { ending: normal, ...times, settled: true, running: 0, waiting: 0, missing: 0, ...change };
}

describe("closing", () => {
  test.each([
    ["everything is read", {}, "done"],
    ["a log is still being read", { settled: false }, "wait"],
    ["a container still runs", { running: 1 }, "wait"],
    ["the news of a container may be late", { waiting: 1 }, "wait"],
    ["no news came", { waiting: 1, now: T0 + 20_000 }, "done"],
    ["a pod may be there that was not seen yet", { missing: 1, now: T0 + 19_999 }, "wait"],
    ["it was never there", { missing: 1, now: T0 + 20_000 }, "done"],
    ["the pods can't be seen", { missing: 1, blindSince: T0 - 59_999, ending: stopping }, "wait"],
    ["the pods could not be seen for a minute", { missing: 1, blindSince: T0 - 60_000, ending: stopping }, "done"],
    ["a watch is broken, and all pods are known", { blindSince: T0 }, "done"],
    ["pods are gone with a TestRun that was deleted", { missing: 2, ending: stopping }, "done"],
    ["what waits for an image is not waited for when the run is given up", { waiting: 1, ending: stopping }, "done"],
    [
      "a backlog is read for as long as it goes on",
      { settled: false, now: T0 + 600_000, progressAt: T0 + 599_000 },
      "wait",
    ],
    [
      "what holds a deleted TestRun waits less",
      { settled: false, now: T0 + 54_999, progressAt: T0 + 54_000, ending: stopping },
      "wait",
    ],
    [
      "what holds a deleted TestRun waits no longer",
      { settled: false, now: T0 + 55_000, progressAt: T0 + 54_000, ending: stopping },
      "cut",
    ],
    ["nothing came for a minute", { settled: false, now: T0 + 60_000 }, "cut"],
    ["it takes too long", { settled: false, now: T0 + 1_800_000, progressAt: T0 + 1_799_999 }, "cut"],
    ["all is sealed, and a container runs on", { running: 1, now: T0 + 60_000 }, "done"],
  ] as const)("%s", (_, change, kind) => {
    expect(closing(facts(change)).kind).toBe(kind);
  });

  test("a container that runs on is cut, and the others are read further", () => {
    const running = { settled: false, running: 1, now: T0 + 60_000, progressAt: T0 + 59_000 };
    expect(closing(facts(running))).toEqual({
      kind: "cut",
      which: "running",
      reason: "the container still ran 60 s after the run had ended",
    });
  });
});

describe("missingPods", () => {
  const known = [
    { pod: "t-initializer-aaaaa", role: "initializer" },
    { pod: "t-1-aaaaa", role: "init" },
    { pod: "t-1-aaaaa", role: "runner" },
    { pod: "t-1-aaaaa", role: "runner" },
  ] as const;

  test.each([
    [null, 0],
    ["created", 0],
    ["error", 0],
    ["started", 2],
    ["finished", 2],
  ])("in stage %s: %i", (stage, missing) => {
    expect(missingPods(stage, 2, known)).toBe(missing);
    expect(missingPods(stage, 2, [...known, { pod: "t-2-a", role: "runner" }, { pod: "t-s-a", role: "starter" }])).toBe(
      0,
    );
  });
});
