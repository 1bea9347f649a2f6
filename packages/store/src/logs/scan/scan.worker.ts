import { free, freeLarge } from "@tailrace/core/chunk";
import { parentPort, workerData } from "node:worker_threads";
import { openStoredChunkSync } from "../codec.ts";
import { LineFilter, type ScanFilter } from "./line-filter.ts";
import { reasonOf } from "./pattern-error.ts";
import { countMatches, findMatches, type Counts, type Matches } from "./scan-chunk.ts";
import { LISTS, STATE, type BucketCounts, type ScanAnswer, type ScanResult, type ScanTask } from "./scan-task.ts";

const state = new Int32Array(workerData as SharedArrayBuffer);

let known: { text: string; filter: LineFilter } | null = null;

parentPort!.on("message", (task: ScanTask & { id: number }) => {
  Atomics.store(state, STATE.list, LISTS.none);
  Atomics.store(state, STATE.begun, task.id);
  const answer = run(task);
  Atomics.store(state, STATE.ended, task.id);
  parentPort!.postMessage(answer, []);
});

function run(task: ScanTask): ScanAnswer {
  try {
    return { kind: "result", result: scan(task, compiled(task.filter)) };
  } catch (error) {
    if (!(error instanceof Error)) return { kind: "failed", message: String(error) };
    // V8 compiles an expression when it is first used, and gives up on some.
    const inPattern =
      Atomics.load(state, STATE.list) !== LISTS.none && (error instanceof SyntaxError || error instanceof RangeError);
    return inPattern ? { kind: "pattern_failed", reason: reasonOf(error) } : { kind: "failed", message: error.message };
  }
}

function compiled(filter: ScanFilter): LineFilter {
  const text = JSON.stringify(filter);
  if (known?.text !== text)
    known = {
      text,
      filter: new LineFilter(filter, ({ list, index }) => {
        Atomics.store(state, STATE.index, index);
        Atomics.store(state, STATE.list, LISTS[list]);
      }),
    };
  return known.filter;
}

function scan({ chunks, want }: ScanTask, filter: LineFilter): ScanResult {
  const matches: Matches[] = [];
  const counts: Counts = new Map();
  for (const { stored, range } of chunks) {
    const chunk = openStoredChunkSync(stored);
    if (want.kind === "matches") matches.push(findMatches(chunk, filter, range, want));
    else countMatches(chunk, filter, range, want.bucketMs, counts);
    freeLarge(chunk.payload.buffer);
    // It came in memory of its own; what was not compressed is the payload.
    if (stored.codec === "zstd") free(stored.data.buffer);
    Atomics.store(state, STATE.list, LISTS.none);
  }
  return want.kind === "matches" ? { kind: "matches", matches } : { kind: "counts", counts: toLists(counts) };
}

function toLists(counts: Counts): BucketCounts {
  const lists: BucketCounts = { buckets: [], levels: [], counts: [] };
  for (const [bucket, levels] of counts)
    for (const [level, count] of levels.entries()) {
      if (count === 0) continue;
      lists.buckets.push(bucket);
      lists.levels.push(level);
      lists.counts.push(count);
    }
  return lists;
}
