import { test } from "vitest";
import type { EventKind } from "../bench/chaos/plan.ts";
import { runChaos } from "../bench/chaos/run.ts";

/** One of each sort; the bench has all of them, and again and again. */
const KINDS: readonly EventKind[] = ["kill-takeover", "database-crash", "cut"];

test.concurrent.for(["node", "api"] as const)(
  "nothing is lost, doubled or out of order while everything breaks, with source %s",
  { timeout: 180_000 },
  async (source, { expect }) => {
    const result = await runChaos({
      source,
      seed: 4,
      lines: 10_000,
      streams: 3,
      rotateEvery: 2500,
      rounds: 1,
      kinds: KINDS,
      keep: null,
      signal: AbortSignal.timeout(170_000),
      say: () => undefined,
    });
    expect(result).toMatchObject({ wrong: [], doubled: 0, reordered: 0, unflagged: 0 });
    // Behind a gap there may be the rest of a line that is lost.
    expect(result.stored - result.rests + result.lost).toBe(30_000);
    expect(Object.keys(result.events).toSorted()).toEqual(KINDS.toSorted());
    expect(result.faults["cut"]).toBeGreaterThan(0);
  },
);
