import { CoreV1Api, CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import {
  ClusterError,
  type Cluster,
  type ClusterView,
  type LabelledObject,
  type JobObject,
  type PodObject,
  type TestRunManifest,
  type TestRunObject,
} from "@tailrace/core";
import { Credentials } from "./credentials.ts";
import { ApiServer } from "./http/api-server.ts";
import { HttpClient } from "./http/client.ts";
import { apiConfiguration } from "./http-library.ts";
import { listAll, withoutManagedFields } from "./list.ts";
import type { Logger } from "./log.ts";
import { reviewNodeLogAccess } from "./node-log-access.ts";
import { kubeletGet } from "./node-logs/kubelet-get.ts";
import { openNodeLogs } from "./node-logs/node-logs.ts";
import { proxyGet } from "./node-logs/proxy-get.ts";
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

const TESTRUNS = { group: "k6.io", version: "v1alpha1", plural: "testruns" } as const;

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
  const core = (signal: AbortSignal): CoreV1Api => new CoreV1Api(apiConfiguration(transport, signal));
  const customObjects = (signal: AbortSignal): CustomObjectsApi =>
    new CustomObjectsApi(apiConfiguration(transport, signal));

  async function getTestRun(name: string, signal: AbortSignal): Promise<TestRunObject | null> {
    const found = await unless(
      "not_found",
      customObjects(signal).getNamespacedCustomObject({ ...TESTRUNS, namespace, name }),
    );
    return found === undefined ? null : withoutManagedFields(found as TestRunObject);
  }

  async function getConfigMap(name: string, signal: AbortSignal): Promise<LabelledObject | null> {
    const found = await unless("not_found", core(signal).readNamespacedConfigMap({ namespace, name }));
    const { uid, labels } = found?.metadata ?? {};
    return uid === undefined ? null : { metadata: { name, uid, ...(labels && { labels }) } };
  }

  return {
    namespace,

    async createConfigMap(manifest, signal) {
      await core(signal).createNamespacedConfigMap({ namespace, body: manifest });
    },

    getConfigMap,

    async deleteConfigMap(name, uid, signal) {
      const body = { preconditions: { uid } };
      const deleting = unless("not_found", core(signal).deleteNamespacedConfigMap({ namespace, name, body }));
      await unlessReplaced(uid, deleting, () => getConfigMap(name, signal));
    },

    async createTestRun(manifest: TestRunManifest, signal) {
      const created: unknown = await customObjects(signal).createNamespacedCustomObject({
        ...TESTRUNS,
        namespace,
        body: manifest,
      });
      return withoutManagedFields(created as TestRunObject);
    },

    getTestRun,

    async deleteTestRun(name, uid, signal) {
      const body = { preconditions: { uid }, propagationPolicy: "Background" };
      const deleting = unless(
        "not_found",
        customObjects(signal).deleteNamespacedCustomObject({ ...TESTRUNS, namespace, name, body }),
      );
      await unlessReplaced(uid, deleting, () => getTestRun(name, signal));
    },

    removeFinalizer: (name, uid, finalizer, signal) =>
      removeFinalizer(transport, namespace, { name, uid, finalizer }, signal),

    // The generated classes would turn the objects' times into Date.
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

/** Waits for a deletion that was bound to a UID; its conflict is success where the object is another one by now. */
async function unlessReplaced(
  uid: string,
  deleting: Promise<unknown>,
  current: () => Promise<LabelledObject | null>,
): Promise<void> {
  try {
    await deleting;
  } catch (error) {
    if (!(error instanceof ClusterError && error.code === "conflict")) throw error;
    if ((await current())?.metadata.uid === uid) throw error;
  }
}

async function unless<T>(code: ClusterError["code"], answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ClusterError && error.code === code) return undefined;
    throw error;
  }
}
