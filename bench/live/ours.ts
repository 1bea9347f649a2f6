import { ChunkLines } from "@tailrace/core";
import { openLog } from "@tailrace/server";
import { openStoredChunk, openStore } from "@tailrace/store";
import type { TestNamespace } from "../../e2e/support/cluster.ts";
import { startChild } from "../support/children.ts";
import type { Committed, LiveAnswer, LiveRequest } from "../support/live-child.ts";
import { untilPods } from "../support/pods.ts";
import type { ReaderAnswer, ReaderEnd, ReaderRequest } from "../support/reader-child.ts";
import { LagSamples, type LagSummary } from "../support/statistics.ts";
import { createPods, measureCores, TEST_RUN, type Case, type Result } from "./case.ts";
import { countNodeLines } from "./node-lines.ts";
import type { Ours } from "./settings.ts";

export async function followByUs(by: Ours, namespace: TestNamespace, one: Case): Promise<Result> {
  const { load, values, postgres, folder, signal } = one;
  const request: LiveRequest = {
    databaseUrl: postgres.url,
    namespace: namespace.name,
    by,
    folder,
    testRun: TEST_RUN,
    containers: load.pods * load.containers,
  };
  const common = { profileDirectory: values.profile, signal };
  await using child = startChild<LiveAnswer>({ file: "./live-child.ts", request, ...common });
  const started = await child.receive();
  if (started.kind !== "started") throw new Error("the collector did not start");
  const { teamId, runId } = started;
  const readerRequest: ReaderRequest = { databaseUrl: postgres.url, teamId, runId, settleMs: load.settle * 1000 };
  await using readers = new AsyncDisposableStack();
  const reading = Array.from({ length: values.readers }, () =>
    readers.use(startChild<ReaderAnswer>({ file: "./reader-child.ts", request: readerRequest, ...common })),
  );
  await createPods(namespace, one);
  await untilPods(namespace.core, namespace.name, "Running", signal);
  const { cores, others } = await measureCores(
    [child, ...reading].map(({ pid }) => pid),
    one,
  );
  await untilPods(namespace.core, namespace.name, "Succeeded", signal);
  child.send({});
  const sealed = await child.receive();
  if (sealed.kind !== "sealed") throw new Error("the collector did not seal");
  const expected = load.pods * load.containers * load.lines;
  await expectWhole(namespace, one, runId);
  for (const each of reading) each.send({ lines: sealed.lines } satisfies ReaderEnd);
  const read = await Promise.all(reading.map((each) => each.receive()));
  await child.ended();
  await Promise.all(reading.map((each) => each.ended()));
  return {
    lag: await commitLags(postgres.url, sealed.commits, load.settle * 1000),
    readerLag: read[0]?.lag ?? null,
    missing: expected - Math.min(sealed.lines, ...read.map(({ lines }) => lines)),
    cores: cores[0]!,
    readerCores: cores[1] ?? null,
    peakRssMb: sealed.use.peakRssMb,
    otherCores: others,
  };
}

/**
 * A line that is missing is missing on the node too: the runtime drops what is left in the pipe of a container that ended on
 * a machine that is too full. @throws Error where what is stored is not what the node has
 */
async function expectWhole({ core, name: namespace }: TestNamespace, { load, postgres }: Case, runId: string) {
  const streams = await postgres.query<{ pod: string; container: string; lines: number; verified: string | null }>(
    "select pod, container, next_seq::int as lines, verified from log_streams where run_id = $1",
    [runId],
  );
  for (const { pod, container, lines, verified } of streams) {
    const there = lines === load.lines ? lines : await countNodeLines(core, { namespace, pod, container });
    if (verified !== "full" || lines !== there)
      throw new Error(
        `${lines} lines of ${pod}, of which its node has ${there}, were stored and verified: ${verified}`,
      );
  }
}

/** Looks up the time of each line in the rows: the collector was not to be kept from its work with that. */
async function commitLags(
  databaseUrl: string,
  commits: readonly Committed[],
  settleMs: number,
): Promise<LagSummary | null> {
  const log = openLog({ logLevel: "warn", logFormat: "json" }, false);
  await using store = await openStore({ databaseUrl, log });
  const samples = new LagSamples();
  for (const [id, own] of Map.groupBy(commits, ({ stream }) => stream)) {
    const times: number[] = [];
    for await (const stored of store.readChunks({ id, day: own[0]!.day }))
      for (const lines = new ChunkLines(await openStoredChunk(stored)); lines.next();)
        times.push(lines.seconds * 1000 + lines.nanos / 1e6);
    for (const { firstSeq, lines, at } of own)
      for (let seq = firstSeq; seq < firstSeq + lines; seq += 1) samples.add(times[seq]!, at - times[seq]!);
  }
  return samples.summary(settleMs);
}
