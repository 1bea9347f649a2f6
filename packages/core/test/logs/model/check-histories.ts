import fc from "fast-check";
import { runApiHistory } from "./api-history.ts";
import { show } from "./bytes.ts";
import { runChangedHistory } from "./changed-history.ts";
import { histories, type History, type HistoryOptions } from "./history.ts";
import { runNodeHistory } from "./node-history.ts";

/** Sums of what happened in all histories. */
export type Figures = Record<string, number>;

/** Holds what is collected through the log API against what was written. @throws Error with the seed */
export function checkApiHistories(runs: number, seed?: number): Figures {
  return check({ mixing: "glued" }, runs, seed, runApiHistory);
}

/** Holds what is collected from the node's files against what was written. @throws Error with the seed */
export function checkNodeHistories(runs: number, seed?: number): Figures {
  return check({ mixing: "glued" }, runs, seed, runNodeHistory);
}

/** Where nothing is glued and nothing was lost, both sources give the same lines. @throws Error with the seed */
export function checkBothSources(runs: number, seed?: number): Figures {
  return checkUnglued(runs, seed, true, (history) => {
    const api = runApiHistory(history);
    const node = runNodeHistory(history);
    const comparable = api.missedEntries + api.lostEntries + api.restsBehindGaps + node.lostEntries === 0;
    if (comparable && api.lines.length !== node.lines.length) throw new Error("one source has more lines");
    for (const [index, { seq, time, bytes }] of comparable ? api.lines.entries() : []) {
      const other = node.lines[index]!;
      if (time !== other.time || Buffer.compare(bytes, other.bytes) !== 0)
        throw new Error(
          `line ${seq} is ${time} ${show(bytes)} from the API, ${other.time} ${show(other.bytes)} from the node`,
        );
    }
    return { compared: comparable ? api.lines.length : 0 };
  });
}

/** What the log API glues of k6's output is undone, so that the lines are those of the node's files. @throws Error with the seed */
export function checkUngluedLines(runs: number, seed?: number): Figures {
  return check({ mixing: "k6" }, runs, seed, (history) => {
    const { lines, unglued } = runApiHistory(history);
    const node = runNodeHistory(history).lines;
    if (lines.length !== node.length)
      throw new Error(`${lines.length} lines from the API, ${node.length} from the node`);
    for (const [index, { seq, bytes }] of lines.entries())
      if (Buffer.compare(bytes, node[index]!.bytes) !== 0)
        throw new Error(`line ${seq} is ${show(bytes)} from the API, ${show(node[index]!.bytes)} from the node`);
    return { lines: lines.length, unglued };
  });
}

/** A stream that was read from the node's files goes on through the log API. @throws Error with the seed */
export function checkChangedSources(runs: number, seed?: number): Figures {
  return checkUnglued(runs, seed, false, runChangedHistory);
}

/** All of the above, so many histories altogether. */
export function checkHistories(runs: number, seed?: number): Record<string, Figures> {
  const share = Math.ceil(runs / 20);
  return {
    api: checkApiHistories(share * 9, seed),
    node: checkNodeHistories(share * 9, seed),
    both: checkBothSources(Math.ceil(share / 2), seed),
    unglued: checkUngluedLines(Math.ceil(share / 2), seed),
    changed: checkChangedSources(share, seed),
  };
}

function checkUnglued(
  runs: number,
  seed: number | undefined,
  calm: boolean,
  run: (history: History) => object,
): Figures {
  const whole = check({ mixing: "whole", calm }, Math.ceil(runs / 2), seed, run);
  const one = check({ mixing: "one", calm }, Math.floor(runs / 2), seed, run);
  return Object.fromEntries(Object.entries(whole).map(([name, value]) => [name, value + (one[name] ?? 0)]));
}

function check(
  options: HistoryOptions,
  runs: number,
  seed: number | undefined,
  run: (history: History) => object,
): Figures {
  const figures: Figures = {};
  const property = fc.property(histories(options), (history) => {
    for (const [name, value] of Object.entries(run(history)))
      if (typeof value === "number") figures[name] = (figures[name] ?? 0) + value;
  });
  // Smaller histories take other turns, so looking for one takes minutes and finds little.
  fc.assert(property, { numRuns: runs, endOnFailure: true, ...(seed !== undefined && { seed }) });
  return figures;
}
