import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import {
  ClusterError,
  type Cluster,
  type ClusterView,
  type JobObject,
  type LabelledObject,
  type PodObject,
  type TestRunObject,
} from "@tailrace/core";
import { Credentials } from "./credentials.ts";
import { ApiServer } from "./http/api-server.ts";
import { HttpClient } from "./http/client.ts";
import { listAll } from "./list.ts";
import type { Logger } from "./log.ts";
import { reviewNodeLogAccess } from "./node-log-access.ts";
import { kubeletGet } from "./node-logs/kubelet-get.ts";
import { openNodeLogs } from "./node-logs/node-logs.ts";
import { proxyGet } from "./node-logs/proxy-get.ts";
import { createObject, deleteObject, readObject } from "./objects.ts";
import { resourcePath } from "./paths.ts";
import { readPodLog } from "./pod-log.ts";
import { openPodLogs } from "./pod-log-stream.ts";
import { removeFinalizer } from "./remove-finalizer.ts";
import { stopRunner } from "./stop-runner.ts";
import { Transport } from "./transport.ts";
import { DEFAULT_WATCH_SETTINGS, type WatchSettings } from "./watch/settings.ts";
import { startView } from "./watch/view.ts";

export interface ClusterOptions {
  /** A function is called again after a 401, so that a kubeconfig file that was renewed is seen. */
  kubeConfig: KubeConfig | (() => KubeConfig);
  namespace: string;
  /** From the start of a request to the end of its answer; of a watch, to the answer's head. (Default: 30,000 ms) */
  requestTimeoutMs?: number;
  watch?: Partial<WatchSettings>;
  log: Logger;
}

/**
 * One namespace of the cluster that a kubeconfig names. Nothing is sent before the first call.
 *
 * @throws ClusterError `invalid` when the current context names no cluster
 */
export function openCluster(options: ClusterOptions): Cluster {
  const { namespace, log } = options;
  const credentials = new Credentials(options.kubeConfig);
  const transport = new Transport(credentials, options.requestTimeoutMs ?? 30_000);
  const client = new HttpClient();
  const apiServer = new ApiServer(credentials, transport, client);
  const settings = { ...DEFAULT_WATCH_SETTINGS, ...options.watch };
  const views = new Set<ClusterView>();
  const configMap = (name?: string): string => resourcePath("configmaps", namespace, name);
  const testRun = (name?: string): string => resourcePath("testruns", namespace, name);

  return {
    namespace,

    async createConfigMap(manifest, signal) {
      await createObject(transport, configMap(), manifest, signal);
    },

    async getConfigMap(name, signal) {
      const found = await readObject<LabelledObject>(transport, configMap(name), signal);
      if (found === null) return null;
      const { uid, labels } = found.metadata;
      return { metadata: { name, uid, ...(labels && { labels }) } };
    },

    deleteConfigMap: (name, uid, signal) => deleteObject(transport, configMap(name), { uid }, signal),

    createTestRun: (manifest, signal) => createObject<TestRunObject>(transport, testRun(), manifest, signal),

    getTestRun: (name, signal) => readObject<TestRunObject>(transport, testRun(name), signal),

    deleteTestRun: (name, uid, signal) =>
      deleteObject(transport, testRun(name), { uid, propagationPolicy: "Background" }, signal),

    removeFinalizer: (name, uid, finalizer, signal) =>
      removeFinalizer(transport, namespace, { name, uid, finalizer }, signal),

    async listPods(testRunName, signal) {
      return (await listAll<PodObject>(transport, resourcePath("pods", namespace), `k6_cr=${testRunName}`, signal))
        .items;
    },

    async listJobs(testRunName, signal) {
      return (await listAll<JobObject>(transport, resourcePath("jobs", namespace), `k6_cr=${testRunName}`, signal))
        .items;
    },

    stopRunner: (pod, signal) => stopRunner(transport, namespace, pod, signal),

    readPodLog: (request, signal) => readPodLog(transport, namespace, request, signal),

    podLogs: openPodLogs(apiServer, namespace, transport.timeoutMs),

    nodeLogs({ by, ...kubelet }) {
      const get = by === "proxy" ? proxyGet(apiServer) : kubeletGet(client, credentials, kubelet);
      return openNodeLogs({ by, namespace, get });
    },

    reviewNodeLogAccess: (by, signal) => reviewNodeLogAccess(transport, by, signal),

    watch() {
      if (transport.closed) throw new ClusterError("network", "the cluster was closed");
      const view = startView({ transport, namespace, settings, log, onClose: () => views.delete(view) });
      views.add(view);
      return view;
    },

    async close() {
      const closing = Array.from(views, (view) => view.close());
      transport.close();
      client.close();
      await Promise.all(closing);
    },
  };
}
