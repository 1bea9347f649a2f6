// Reads one ended container's log into PostgreSQL with the parts of the server, to its seal, and tells what that took.

import { readFileSync } from "node:fs";
import type { LogSource, LogStore, Seal } from "@tailrace/core";
import { openCollecting, ownedByStep, type CollectingRequest } from "./collecting.ts";
import { readRequest, tellParent } from "./parent.ts";
import { makeStep } from "./step.ts";

export interface DrainRequest extends CollectingRequest {
  pod: string;
  /** The value of its label `k6_cr`. */
  testRun: string;
}

/** CPU seconds and times count from the moment when the container was shown to the collector. */
export interface DrainAnswer {
  streamId: number;
  source: LogSource;
  seal: Seal;
  /** To the commit of the last line. */
  storedSeconds: number;
  storedCpuSeconds: number;
  storedPeakRssMb: number;
  /** To the seal: the source was read again, and what is stored was read back and compared. */
  sealedSeconds: number;
  sealedCpuSeconds: number;
  sealedPeakRssMb: number;
}

interface Use {
  seconds: number;
  cpuSeconds: number;
  peakRssMb: number;
}

const request = readRequest() as DrainRequest;
let stored: Use = { seconds: 0, cpuSeconds: 0, peakRssMb: 0 };
const cpuBefore = process.cpuUsage();
let started = 0;
await using parts = new AsyncDisposableStack();
const { store, cluster, collector } = await openCollecting(request, parts, watchCommits);
const pods = await cluster.listPods(request.testRun, AbortSignal.timeout(10_000));
const pod = pods.find(({ metadata }) => metadata.name === request.pod);
if (pod === undefined) throw new Error(`there is no pod ${request.pod}`);
const step = await makeStep(store, request.testRun);
const lost = Promise.withResolvers<never>();

started = performance.now();
const cpuAtStart = process.cpuUsage(cpuBefore);
const collecting = collector.collect(step, () => lost.reject(new Error("the stream was lost")));
collecting.observe(ownedByStep(step, [pod]));
const task = collecting.tasks[0]!;
await Promise.race([task.done, lost.promise]);
const sealed = useSinceStart();
const { record } = task;
if (record === null || record.seal === null) throw new Error("the stream was not sealed");
await tellParent({
  streamId: record.id,
  source: task.source,
  seal: record.seal,
  storedSeconds: stored.seconds,
  storedCpuSeconds: stored.cpuSeconds,
  storedPeakRssMb: stored.peakRssMb,
  sealedSeconds: sealed.seconds,
  sealedCpuSeconds: sealed.cpuSeconds,
  sealedPeakRssMb: sealed.peakRssMb,
} satisfies DrainAnswer);
await parts.disposeAsync();
process.disconnect();

function watchCommits(store: LogStore): LogStore {
  return {
    ...store,
    async commitLogs(commits) {
      const outcomes = await store.commitLogs(commits);
      if (commits.some(({ chunks }) => chunks.length > 0)) stored = useSinceStart();
      return outcomes;
    },
  };
}

/** Without waiting for anything: it is asked for at every commit. */
function useSinceStart(): Use {
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuSeconds = (user + system - cpuAtStart.user - cpuAtStart.system) / 1_000_000;
  const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))!;
  return { seconds, cpuSeconds, peakRssMb: Number(peak) / 1024 };
}
