import type { StreamCommit } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayRead, type Pressure } from "../../src/collector/admission.ts";
import { joinCommits } from "../../src/collector/join-commits.ts";
import { nextPollMs } from "../../src/collector/poll-pace.ts";
import { startGap } from "../../src/collector/start-gap.ts";

describe("mayRead", () => {
  const calm: Pressure = { memoryBytes: 0, memoryLimit: 100, spooling: false, spoolBytes: 0, spoolLimit: 1000 };

  test.each([
    ["while the database keeps up", calm, true, true],
    ["memory is full and is being stored", { ...calm, memoryBytes: 100 }, false, false],
    ["the spool has room", { ...calm, spooling: true, spoolBytes: 899 }, true, true],
    ["the spool is nearly full: who has time waits", { ...calm, spooling: true, spoolBytes: 900 }, false, true],
    ["the spool is full", { ...calm, spooling: true, spoolBytes: 1000 }, false, false],
    ["a full spool of before does not matter", { ...calm, spoolBytes: 1000 }, true, true],
  ])("%s", (_, pressure, inCurrentFile, elsewhere) => {
    expect([mayRead(pressure, true), mayRead(pressure, false)]).toEqual([inCurrentFile, elsewhere]);
  });
});

describe("nextPollMs", () => {
  test("is at most 100 ms while there is data, and up to 2 s when quiet", () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.double({ min: 0, max: 500, noNaN: true }),
        fc.nat(),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (quiet, took, bytes, random) => {
          const ms = nextPollMs(quiet, took, bytes, random);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThanOrEqual(quiet === 0 ? 100 : 2000);
          if (quiet > 6) expect(ms).toBeGreaterThanOrEqual(1000);
        },
      ),
    );
  });
});

describe("startGap", () => {
  const start = { startedAt: 1000, seenAt: 1100, firstLineAt: 1500, rotated: false, bytes: 1000, lastLineAt: 1600 };
  // A megabyte in a tenth of a second.
  const dense = { ...start, rotated: null, seenAt: 4000, firstLineAt: 3800, bytes: 1_000_000, lastLineAt: 3900 };
  const possible = { reason: "late_start", certain: false };

  test.each([
    ["nothing was rotated", start, null],
    ["rotated, but the first line is the first word", { ...start, rotated: true }, null],
    ["rotated, and the first line is a late one", { ...start, rotated: true, firstLineAt: 9000 }, possible],
    ["read from the start", { ...start, rotated: null, firstLineAt: 90_000 }, null],
    [
      "read late, where nothing tells of rotation",
      { ...start, rotated: null, seenAt: 60_000, firstLineAt: 50_000 },
      possible,
    ],
    ["read late, from its first word on", { ...start, rotated: null, seenAt: 60_000 }, null],
    ["soon, of a container that may have filled a file before", dense, possible],
    ["soon, of a container that is not known to write much", { ...dense, bytes: 15_000 }, null],
    ["soon, of a container that writes too little for that", { ...dense, lastLineAt: 3800 + 11_000 }, null],
    ["soon, and its first word came later", { ...dense, seenAt: 3000 }, null],
    ["soon, and its first word came at once", { ...dense, firstLineAt: 2900, seenAt: 3000 }, null],
    ["the start is not known", { ...start, startedAt: null, rotated: true, firstLineAt: 90_000 }, null],
  ])("%s", (_, facts, gap) => {
    expect(startGap(facts)).toEqual(gap);
  });
});

describe("joinCommits", () => {
  const commit = (id: number, firstSeq: number, fence = 1): StreamCommit => ({
    stream: { id, day: "2026-11-24" },
    stepId: "s",
    fence,
    firstSeq,
    chunks: [],
    gaps: [{ seq: firstSeq, reason: "rotated", certain: false, from: null, until: null }],
    position: { source: "api" },
    counts: { unglued: firstSeq, headRests: 0, malformed: 0 },
  });

  test("leaves one commit a stream, from the first one's place to the last one's", () => {
    const { joined, indexOf } = joinCommits([commit(1, 0), commit(2, 5), commit(1, 10), commit(1, 20, 2)]);
    expect(indexOf).toEqual([0, 1, 0, 2]);
    expect(
      joined.map(({ stream, firstSeq, fence, gaps, counts }) => [
        stream.id,
        fence,
        firstSeq,
        gaps.length,
        counts.unglued,
      ]),
    ).toEqual([
      [1, 1, 0, 2, 10],
      [2, 1, 5, 1, 5],
      [1, 2, 20, 1, 20],
    ]);
  });
});
