import type { ContainerStatus, JobObject, PodObject } from "../kubernetes/objects.ts";

/** What a pod is for. `other`: a pod of the TestRun with a job name that is none of the known ones, such as the stopper. */
export type PodRole = "initializer" | "starter" | "runner" | "other";

/** One container instance whose output belongs to a TestRun. */
export interface ContainerRef {
  pod: string;
  container: string;
  /** The kubelet's restart count; 0 for the first instance. */
  restart: number;
  role: PodRole;
  /** The runner's number from 1; 0 for the other roles. */
  runnerIndex: number;
  /** True for a container of `spec.initContainers`. */
  init: boolean;
  /** True when the pod has more than one container, so that the header must name this one. */
  named: boolean;
  /** `waiting` with why, in one line; `terminated` once the instance has ended. */
  state: { phase: "waiting"; reason: string } | { phase: "running" } | { phase: "terminated" };
}

const JOB_NAME_LABELS = ["batch.kubernetes.io/job-name", "job-name"] as const;

/** Keeps the pods that the TestRun owns through its Jobs. Without a UID (it is not known) the label that selected them must do. */
export function ownedPods(
  testRunUid: string | null,
  jobs: readonly JobObject[],
  pods: readonly PodObject[],
): PodObject[] {
  if (testRunUid === null) return [...pods];
  const owned = new Set(
    jobs
      .filter((job) => job.metadata.ownerReferences?.some((owner) => owner.uid === testRunUid))
      .map((job) => job.metadata.uid),
  );
  return pods.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owned.has(owner.uid)));
}

/** The name of the Job that made a pod, from the Job controller's label or the pod's own name (`{job}-{5 characters}`). */
export function jobNameOf(pod: { metadata: { name: string; labels?: Record<string, string> } }): string {
  for (const label of JOB_NAME_LABELS) {
    const name = pod.metadata.labels?.[label];
    if (name !== undefined) return name;
  }
  return pod.metadata.name.replace(/-[a-z0-9]+$/, "");
}

/**
 * The role behind a Job's name. k6-operator sets no role or index label: `{T}-initializer`, `{T}-starter`, `{T}-{i}`
 * (k6-operator, pkg/resources/jobs).
 */
export function roleOfJob(testRunName: string, jobName: string): { role: PodRole; runnerIndex: number } {
  const suffix = jobName.startsWith(`${testRunName}-`) ? jobName.slice(testRunName.length + 1) : "";
  if (suffix === "initializer" || suffix === "starter") return { role: suffix, runnerIndex: 0 };
  if (/^[1-9][0-9]*$/.test(suffix)) return { role: "runner", runnerIndex: Number(suffix) };
  return { role: "other", runnerIndex: 0 };
}

/** The longest prefix of a generated name; five random characters follow (apiserver, pkg/storage/names/generate.go). */
const MAX_GENERATED_PREFIX = 58;

/** The role behind a pod's name alone. The names of a long TestRun's pods are cut, in the middle of the Job's name. */
export function roleOfPodName(testRunName: string, podName: string): { role: PodRole; runnerIndex: number } {
  const prefix = podName.slice(0, -5);
  for (const role of ["initializer", "starter"] as const) {
    if (prefix === `${testRunName}-${role}-`.slice(0, MAX_GENERATED_PREFIX)) return { role, runnerIndex: 0 };
  }
  return roleOfJob(testRunName, jobNameOf({ metadata: { name: podName } }));
}

const ROLE_ORDER: Record<PodRole, number> = { initializer: 0, starter: 1, runner: 2, other: 3 };

/** Orders pods by their names: initializer, starter, runners by index, the rest; equal ones by name. */
export function comparePods(testRunName: string, a: string, b: string): number {
  const [left, right] = [a, b].map((pod) => roleOfPodName(testRunName, pod));
  return (
    ROLE_ORDER[left!.role] - ROLE_ORDER[right!.role] ||
    left!.runnerIndex - right!.runnerIndex ||
    (a < b ? -1 : a > b ? 1 : 0)
  );
}

/** Every container of the pods, in the order of the snapshot; init containers before the pod's other ones. */
export function testRunContainers(testRunName: string, pods: readonly PodObject[]): ContainerRef[] {
  return pods
    .toSorted((a, b) => comparePods(testRunName, a.metadata.name, b.metadata.name))
    .flatMap((pod) => podContainers(testRunName, pod));
}

function podContainers(testRunName: string, pod: PodObject): ContainerRef[] {
  const inits = pod.spec?.initContainers ?? [];
  const mains = pod.spec?.containers ?? [];
  const named = inits.length + mains.length > 1;
  const { role, runnerIndex } = roleOfJob(testRunName, jobNameOf(pod));
  const ref = (container: string, init: boolean, statuses: ContainerStatus[] | undefined): ContainerRef => {
    const status = statuses?.find((candidate) => candidate.name === container);
    const restart = status?.restartCount ?? 0;
    return { pod: pod.metadata.name, container, restart, role, runnerIndex, init, named, state: stateOf(pod, status) };
  };
  return [
    ...inits.map(({ name }) => ref(name, true, pod.status?.initContainerStatuses)),
    ...mains.map(({ name }) => ref(name, false, pod.status?.containerStatuses)),
  ];
}

function stateOf(pod: PodObject, status: ContainerStatus | undefined): ContainerRef["state"] {
  if (status?.state?.running) return { phase: "running" };
  if (status?.state?.terminated) return { phase: "terminated" };
  return { phase: "waiting", reason: waitingReason(pod, status) };
}

/** Why a container has not started, in one line: its own reason, else why its pod is not on a node. */
export function waitingReason(pod: PodObject, status: ContainerStatus | undefined): string {
  const waiting = status?.state?.waiting;
  if (waiting?.reason) return oneLine(waiting.message ? `${waiting.reason}: ${waiting.message}` : waiting.reason);
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status === "False")
    return oneLine(`${scheduled.reason ?? "not scheduled"}: ${scheduled.message ?? "no node yet"}`);
  return "not started yet";
}

/** A foreign text as one line that PostgreSQL takes: line breaks become spaces, NUL U+2400, lone surrogates U+FFFD. */
export function oneLine(text: string): string {
  return text
    .replace(/\s*[\r\n]+\s*/g, " ")
    .replaceAll("\0", "\u2400")
    .toWellFormed()
    .trim();
}
