import { expect, test } from "vitest";
import {
  checkApiHistories,
  checkBothSources,
  checkChangedSources,
  checkNodeHistories,
  checkUngluedLines,
} from "./model/check-histories.ts";

/** How many histories each test makes; the seed of one that fails is in its message. */
const RUNS = { api: 1000, node: 1000, both: 100, unglued: 50, changed: 100 };

const TIMEOUT = 120_000;

test(
  "through the log API no line is lost, doubled or moved, but at marked gaps that rotations made",
  () => {
    const figures = checkApiHistories(RUNS.api);
    for (const name of ["rotations", "gaps", "lostEntries", "emptyGaps", "headRests", "unglued"])
      expect.soft(figures[name], name).toBeGreaterThan(0);
  },
  TIMEOUT,
);

test(
  "from the node's files no line is lost, doubled or moved, but at marked gaps where files were removed unread",
  () => {
    const figures = checkNodeHistories(RUNS.node);
    for (const name of ["rotations", "gaps", "lostEntries"]) expect.soft(figures[name], name).toBeGreaterThan(0);
  },
  TIMEOUT,
);

test(
  "both sources give the same lines",
  () => {
    expect(checkBothSources(RUNS.both)["compared"]).toBeGreaterThan(0);
  },
  TIMEOUT,
);

test(
  "what the log API glues of k6's output is undone",
  () => {
    expect(checkUngluedLines(RUNS.unglued)["unglued"]).toBeGreaterThan(0);
  },
  TIMEOUT,
);

test(
  "a stream that was read from the node's files goes on through the log API",
  () => {
    const { fromNode, fromApi } = checkChangedSources(RUNS.changed);
    expect.soft(fromNode).toBeGreaterThan(0);
    expect.soft(fromApi).toBeGreaterThan(0);
  },
  TIMEOUT,
);
