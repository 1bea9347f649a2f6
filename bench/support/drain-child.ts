// Reads one container's log into PostgreSQL with the parts of the server, and prints what it took as JSON.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStoredChunk, openStore, storeChunk } from "@tailrace/store";
import { loadKubeConfig, openCluster, silentLogger } from "@tailrace/kubernetes";
import { createMetrics, NodeAccess, openCollector, openLog } from "@tailrace/server";
import type { JobObject, PodObject } from "@tailrace/core";
import { makeStep } from "./step.ts";

interface Request {
  databaseUrl: string;
  namespace: string;
  pod: string;
  by: "kubelet" | "proxy" | "off";
}

const request = JSON.parse(process.argv[2]!) as Request;
const log = openLog({ logLevel: "error", logFormat: "json" }, false);
await using parts = new AsyncDisposableStack();
const store = parts.use(await openStore({ databaseUrl: request.databaseUrl, log }));
const cluster = parts.adopt(
  openCluster({ kubeConfig: loadKubeConfig(), namespace: request.namespace, log: silentLogger }),
  (it) => it.close(),
);
const pods = await cluster.listPods("drain", AbortSignal.timeout(10_000));
const pod = pods.find(({ metadata }) => metadata.name === request.pod);
if (pod === undefined) throw new Error(`there is no pod ${request.pod}`);
const access = new NodeAccess(log);
if (request.by !== "off") access.allow(cluster.nodeLogs({ by: request.by }));
const spoolDirectory = await mkdtemp(join(tmpdir(), "tailrace-drain-"));
parts.defer(() => rm(spoolDirectory, { recursive: true, force: true }));
const step = await makeStep(store, "drain");
const collector = parts.use(
  await openCollector({
    store,
    openChunk: openStoredChunk,
    storeChunk,
    podLogs: cluster.podLogs,
    access,
    spoolDirectory,
    spoolLimit: 1024 ** 3,
    metrics: createMetrics().collector,
    log,
  }),
);

const job: JobObject = { metadata: { name: "drain-1", uid: "job", ownerReferences: [owner("TestRun", step.testRunUid)] } };
const owned: PodObject = { ...pod, metadata: { ...pod.metadata, ownerReferences: [owner("Job", "job")] } };
const cpuBefore = process.cpuUsage();
const started = performance.now();
const collecting = collector.collect(step, () => log.error("lost"));
collecting.observe({ testRun: null, jobs: [job], pods: [owned] });
let storedMs = 0;
let storedCpu = 0;
let lines = 0;
while (!collecting.settled) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const [task] = collecting.tasks;
  if (task !== undefined && task.storedSeq > lines) {
    lines = task.storedSeq;
    storedMs = performance.now() - started;
    storedCpu = cpuMs();
  }
}
const [task] = collecting.tasks;
process.stdout.write(
  `${JSON.stringify({
    lines,
    storedMs,
    storedCpuMs: storedCpu,
    sealedMs: performance.now() - started,
    sealedCpuMs: cpuMs(),
    maxRssMb: process.resourceUsage().maxRSS / 1024,
    seal: task?.record?.seal ?? null,
    source: task?.source ?? null,
  })}\n`,
);

function cpuMs(): number {
  const { user, system } = process.cpuUsage(cpuBefore);
  return (user + system) / 1000;
}

function owner(kind: string, uid: string) {
  return { apiVersion: "v1", kind, name: kind, uid };
}
