import type { Cluster, JobObject, LogStore, PodObject } from "@tailrace/core";
import { createMetrics, NodeAccess, openCollector, openLog, type Collector } from "@tailrace/server";
import { openStoredChunk, openStore, storeChunk, type PostgresStore } from "@tailrace/store";
import { loadKubeConfig, openCluster, silentLogger } from "@tailrace/kubernetes";
import type { BenchStep } from "./step.ts";

/** Where lines are read: from the node's files, directly or through the API server, or from `pods/log`. */
export type ReadBy = "kubelet" | "proxy" | "api";

export interface CollectingRequest {
  databaseUrl: string;
  /** Of the pods. */
  namespace: string;
  by: ReadBy;
  /** For the spool. */
  folder: string;
}

export interface CollectingParts {
  store: PostgresStore;
  cluster: Cluster;
  collector: Collector;
}

/**
 * The parts of the server that bring logs into PostgreSQL, put together as the server does it.
 *
 * @param watchStore - puts itself between collector and store
 */
export async function openCollecting(
  { databaseUrl, namespace, by, folder }: CollectingRequest,
  parts: AsyncDisposableStack,
  watchStore: (store: LogStore) => LogStore = (store) => store,
): Promise<CollectingParts> {
  const log = openLog({ logLevel: "warn", logFormat: "json" }, false);
  const store = parts.use(await openStore({ databaseUrl, log }));
  const cluster = parts.adopt(openCluster({ kubeConfig: loadKubeConfig(), namespace, log: silentLogger }), (it) =>
    it.close(),
  );
  const access = new NodeAccess(log);
  if (by !== "api") access.allow(cluster.nodeLogs({ by }));
  const collector = parts.use(
    await openCollector({
      store: watchStore(store),
      openChunk: openStoredChunk,
      storeChunk,
      podLogs: cluster.podLogs,
      access,
      spoolDirectory: folder,
      spoolLimit: 1024 ** 3,
      metrics: createMetrics().collector,
      log,
    }),
  );
  return { store, cluster, collector };
}

const JOB_UID = "bench-job";

/** Says of pods that they are the step's TestRun's, which is what the collector reads. */
export function ownedByStep(
  step: BenchStep,
  pods: readonly PodObject[],
): { testRun: null; jobs: JobObject[]; pods: PodObject[] } {
  const owner = (kind: string, name: string, uid: string) => ({ apiVersion: "v1", kind, name, uid });
  const job: JobObject = {
    metadata: { name: step.name, uid: JOB_UID, ownerReferences: [owner("TestRun", step.name, step.testRunUid)] },
  };
  const owned = pods.map((pod) => ({
    ...pod,
    metadata: { ...pod.metadata, ownerReferences: [owner("Job", step.name, JOB_UID)] },
  }));
  return { testRun: null, jobs: [job], pods: owned };
}
