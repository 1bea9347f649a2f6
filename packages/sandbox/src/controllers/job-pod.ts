import { randomUUID } from "node:crypto";
import type { NewObject } from "../store/store.ts";
import type { Container, Job, JobSpec, Resources } from "../store/kinds.ts";
import { JOB_FINALIZER } from "./job-step.ts";

/** What the Job controller and the API server's defaults make of a Job's template. */
export function podOfJob(job: Job): NewObject {
  const { name, namespace, uid } = job.metadata;
  const { metadata, spec } = job.spec.template;
  const token = spec.automountServiceAccountToken === false ? undefined : tokenVolume(uid.slice(0, 5));
  const containers = (list: Container[]): object[] => list.map((container) => withDefaults(container, token));
  return {
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: metadata.labels ?? {},
      ...(metadata.annotations ? { annotations: metadata.annotations } : {}),
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name, uid, controller: true, blockOwnerDeletion: true }],
      finalizers: [JOB_FINALIZER],
    },
    spec: {
      ...spec,
      ...(token || spec.volumes ? { volumes: [...(spec.volumes ?? []), ...(token ? [token.volume] : [])] } : {}),
      ...(spec.initContainers ? { initContainers: containers(spec.initContainers) } : {}),
      containers: containers(spec.containers),
      tolerations: [...(spec.tolerations ?? []), toleration("not-ready"), toleration("unreachable")],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: "PreemptLowerPriority",
    },
    status: { phase: "Pending", qosClass: qosClass(spec.containers) },
  };
}

/** A new Job as the API server completes it: selector and labels by the Job's own UID. */
export function withSelector(job: NewObject): NewObject {
  const uid = randomUUID();
  const spec = job.spec as JobSpec;
  const { metadata, spec: podSpec } = spec.template;
  const names = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": job.metadata.name,
    "controller-uid": uid,
    "job-name": job.metadata.name,
  };
  const selector = { matchLabels: { "batch.kubernetes.io/controller-uid": uid } };
  const template = { metadata: { ...metadata, labels: { ...metadata.labels, ...names } }, spec: podSpec };
  return { ...job, metadata: { ...job.metadata, uid }, spec: { ...spec, selector, template } };
}

function withDefaults(container: Container, token: { mount: object } | undefined): object {
  return {
    ...container,
    resources: withRequests(container.resources),
    ...(token || container.volumeMounts
      ? { volumeMounts: [...(container.volumeMounts ?? []), ...(token ? [token.mount] : [])] }
      : {}),
  };
}

/** A limit without a request is the request too (k8s.io/kubernetes, pkg/apis/core/v1/defaults.go). */
function withRequests(resources: Resources | undefined): Resources {
  return resources?.limits
    ? { ...resources, requests: { ...resources.limits, ...resources.requests } }
    : (resources ?? {});
}

function tokenVolume(suffix: string): { volume: object; mount: object } {
  const name = `kube-api-access-${suffix}`;
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
      downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] },
    },
  ];
  return {
    volume: { name, projected: { sources, defaultMode: 420 } },
    mount: { name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
  };
}

function toleration(what: string): object {
  return { key: `node.kubernetes.io/${what}`, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 };
}

/** k8s.io/kubernetes, pkg/apis/core/v1/helper/qos: by CPU and memory alone. */
function qosClass(containers: Container[]): string {
  const all = containers.map(({ resources }) => withRequests(resources));
  if (all.every(({ limits, requests }) => !limits && !requests)) return "BestEffort";
  const guaranteed = all.every(({ limits, requests }) =>
    ["cpu", "memory"].every((name) => limits?.[name] !== undefined && limits[name] === requests?.[name]),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
