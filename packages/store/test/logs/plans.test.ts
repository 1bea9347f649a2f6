import { beforeAll, describe, expect, test } from "vitest";
import { rangeOfChunks } from "../../src/logs/chunks/read-chunks.ts";
import { LIST_GAPS } from "../../src/logs/gaps/list-gaps.ts";
import { chunkPlaces } from "../../src/logs/read/chunk-places.ts";
import { chunksByKey, chunksOfRanges } from "../../src/logs/read/fetch-chunks.ts";
import { CHUNKS_AT_TIMES } from "../../src/logs/read/seq-at-time.ts";
import { addDays } from "../../src/logs/retention/partitions.ts";
import { openTestStore, query, type StoreFixture } from "../support.ts";
import { claimRun, countedLines, T0, TestWriter } from "./support.ts";

interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  Plans?: PlanNode[];
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

let fixture: StoreFixture;
let day: string;
let streamId: number;

beforeAll(async () => {
  fixture = await openTestStore();
  for (let days = 0; days < 6; days++)
    await fixture.store.prepareDay(addDays(new Date().toISOString().slice(0, 10), -days));
  const writers: TestWriter[] = [];
  for (let i = 0; i < 20; i++) writers.push(await TestWriter.open(fixture, (await claimRun(fixture)).step));
  for (const writer of writers) await writer.write(countedLines("line", 300), { linesPerChunk: 1 });
  ({ day, id: streamId } = writers[7]!.record);
  await query(fixture.url, "analyze log_chunks");
  return () => fixture[Symbol.asyncDispose]();
});

/** The tables that a statement reads, and how, as it is planned where its parameters are known. */
async function explain(statement: string, values: unknown[] = []): Promise<PlanNode[]> {
  const rows = await query(fixture.url, `explain (format json) ${statement}`, values);
  const [{ Plan }] = rows[0]!["QUERY PLAN"] as [{ Plan: PlanNode }];
  return nodesOf(Plan).filter((node) => node["Relation Name"] !== undefined);
}

describe("what readers ask reads one day's partition by its key:", () => {
  const stream = () => ({ id: streamId, day });
  const statements: Record<string, () => [string, unknown[]?]> = {
    "the chunks of a range": () => [
      `select c.data from ${rangeOfChunks(stream(), { fromSeq: 100, untilSeq: 110 }, 16)}`,
    ],
    "the newest chunks": () => [`select c.data from ${rangeOfChunks(stream(), { newestFirst: true }, 1)}`],
    "chunks by their keys": () => {
      const live = { ...stream(), ordinal: 0, lines: 300, end: 300, maxTime: 0n, gaps: 0 };
      return [`select c.data from ${chunksByKey([10, 20, 30].map((firstSeq) => ({ stream: live, firstSeq })))}`];
    },
    "the chunks of ranges": () => {
      const live = { ...stream(), ordinal: 0, lines: 300, end: 300, maxTime: 0n, gaps: 0 };
      return [`select c.data from ${chunksOfRanges([{ stream: live, fromSeq: 100, untilSeq: 110 }], 64)}`];
    },
    "the chunks of windows, forward": () => [chunkPlaces(false), [day, [streamId], [100], [200], 127, 16]],
    "the chunks of windows, backward": () => [chunkPlaces(true), [day, [streamId], [100], [200], 127, 16]],
    "the chunks at a time": () => [CHUNKS_AT_TIMES, [day, [streamId], [0], [300], [1_795_514_400_000_000_000n]]],
    gaps: () => [LIST_GAPS, [day, streamId, 0, 100]],
  };

  test.each(Object.keys(statements))("%s", async (name) => {
    const reads = await explain(...statements[name]!());
    expect(reads.length).toBeGreaterThan(0);
    const suffix = day.replaceAll("-", "");
    for (const node of reads) {
      expect(node["Relation Name"]).toMatch(new RegExp(`^log_(chunks|gaps)_${suffix}$`));
      expect(node["Index Name"] ?? node["Node Type"]).toMatch(
        new RegExp(`^log_(chunks|gaps)_${suffix}_pkey$|^Bitmap Heap Scan$`),
      );
    }
  });
});

test("the chunks at a time are found by halving also where nothing is known of the partition yet", async () => {
  await using fresh = await openTestStore();
  const { step } = await claimRun(fresh);
  const writers = await Promise.all([0, 1, 2, 3].map((restart) => TestWriter.open(fresh, step, { restart })));
  for (const writer of writers) await writer.write(countedLines("line", 300), { linesPerChunk: 1 });
  const ids = writers.map(({ record }) => record.id);
  const windows = [ids.map(() => 0), ids.map(() => 300), ids.map(() => T0 + 1n)];
  const statement = `explain (analyze, buffers, format json) ${CHUNKS_AT_TIMES}`;
  const [row] = await query(fresh.url, statement, [writers[0]!.record.day, ids, ...windows]);
  const [{ Plan }] = row!["QUERY PLAN"] as [{ Plan: { "Shared Hit Blocks": number; "Shared Read Blocks": number } }];
  // Some ten steps for each stream, of some three blocks.
  expect(Plan["Shared Hit Blocks"] + Plan["Shared Read Blocks"]).toBeLessThan(300);
});
