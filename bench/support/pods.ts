import type { CoreV1Api, V1Container } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";

/** The image of `lines`, which prints numbered, k6-like lines. */
export const LINES_IMAGE = "lab.local/lines:1";

const POLL_MS = 200;

export interface PodSpec {
  name: string;
  /** The value of its label `k6_cr`. */
  testRun: string;
  containers: { name: string; command: string[] }[];
  image: string;
}

/** Makes a pod whose name and labels are as k6-operator makes them. */
export async function createPod(core: CoreV1Api, namespace: string, spec: PodSpec): Promise<void> {
  const containers = spec.containers.map((container): V1Container => ({
    ...container,
    image: spec.image,
    imagePullPolicy: "IfNotPresent",
  }));
  const labels = { app: "k6", k6_cr: spec.testRun, "job-name": spec.name.replace(/-[a-z0-9]+$/, "") };
  await core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name: spec.name, labels },
      spec: {
        containers,
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
      },
    },
  });
}

/** A namespace's pods are not there at once, since its service account is made by a controller. */
export async function untilAccount(core: CoreV1Api, namespace: string, signal: AbortSignal): Promise<void> {
  await until("the namespace's service account", signal, async () => {
    const { items } = await core.listNamespacedServiceAccount({ namespace });
    return items.some(({ metadata }) => metadata?.name === "default");
  });
}

/** @throws Error when one has failed */
export async function untilPods(
  core: CoreV1Api,
  namespace: string,
  phase: "Running" | "Succeeded",
  signal: AbortSignal,
): Promise<void> {
  await until(`all pods to be ${phase}`, signal, async () => {
    const { items } = await core.listNamespacedPod({ namespace });
    for (const { metadata, status } of items) {
      const waiting = status?.containerStatuses?.find(({ state }) => state?.waiting?.reason?.startsWith("ErrImage"));
      if (status?.phase === "Failed" || waiting !== undefined)
        throw new Error(`pod ${metadata?.name}: ${waiting?.state?.waiting?.message ?? status?.phase}`);
    }
    return items.every(({ status }) => status?.phase === phase || status?.phase === "Succeeded");
  });
}

async function until(
  what: string,
  signal: AbortSignal,
  probe: () => Promise<boolean>,
  timeoutMs = 300_000,
): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await probe());) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await sleep(POLL_MS, undefined, { signal });
  }
}
