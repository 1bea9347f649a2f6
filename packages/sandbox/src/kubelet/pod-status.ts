import { createHash } from "node:crypto";
import type { Container, ContainerStatus, Pod, PodStatus, VolumeMount } from "../store/kinds.ts";

export type ContainerStateView =
  | { waiting: { reason: string; message?: string } }
  | { running: { startedAt: string } }
  | {
      terminated: {
        exitCode: number;
        reason: string;
        startedAt: string;
        finishedAt: string;
        containerID: string;
        signal?: number;
      };
    };

/** What the kubelet knows of one container. */
export interface ContainerView {
  name: string;
  state: ContainerStateView;
  /** Its readiness probe has succeeded, or it has none and runs. */
  ready: boolean;
  containerID: string | undefined;
}

/** What the kubelet knows of a pod. */
export interface PodView {
  startTime: string;
  podIP: string | undefined;
  initContainers: ContainerView[];
  containers: ContainerView[];
  /** The pod's network is taken down: the phase is final. */
  final: boolean;
}

interface PodCondition {
  type: string;
  observedGeneration: number;
  status: "True" | "False";
  lastProbeTime: null;
  lastTransitionTime: string;
  reason?: string;
  message?: string;
}

/** `status` of a pod as the kubelet reports it; conditions that did not change keep their time. */
export function podStatus(pod: Pod, view: PodView, now: string): PodStatus {
  const observedGeneration = pod.metadata.generation ?? 1;
  const before = pod.status.conditions ?? [];
  const conditions = conditionsOf(view).map(({ type, status, ...why }): PodCondition => {
    const same = before.find((each) => each.type === type && each.status === status);
    return {
      type,
      observedGeneration,
      status,
      lastProbeTime: null,
      lastTransitionTime: same?.lastTransitionTime ?? now,
      ...why,
    };
  });
  const statuses = (views: ContainerView[], specs: Container[]): ContainerStatus[] =>
    views.map((container) =>
      containerStatus(
        container,
        specs.find(({ name }) => name === container.name)!,
        views === view.initContainers,
      ),
    );
  return {
    observedGeneration,
    phase: phaseOf(view),
    conditions,
    hostIP: "127.0.0.1",
    hostIPs: [{ ip: "127.0.0.1" }],
    ...(view.podIP === undefined ? {} : { podIP: view.podIP, podIPs: [{ ip: view.podIP }] }),
    startTime: view.startTime,
    ...(view.initContainers.length > 0
      ? { initContainerStatuses: statuses(view.initContainers, pod.spec.initContainers ?? []) }
      : {}),
    containerStatuses: statuses(view.containers, pod.spec.containers),
    ...(pod.status.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
  };
}

function phaseOf({ final, containers, initContainers }: PodView): string {
  if (final) return [...initContainers, ...containers].every(succeeded) ? "Succeeded" : "Failed";
  return containers.some(({ state }) => !("waiting" in state)) ? "Running" : "Pending";
}

function succeeded({ state }: ContainerView): boolean {
  return "terminated" in state && state.terminated.exitCode === 0;
}

type NewCondition = Pick<PodCondition, "type" | "status" | "reason" | "message">;

function conditionsOf(view: PodView): NewCondition[] {
  const { initContainers, containers, podIP, final } = view;
  const incomplete = initContainers.filter((container) => !succeeded(container));
  const ended = containers.every(({ state }) => "terminated" in state) || final;
  const completed = ended && [...initContainers, ...containers].every(succeeded);
  const unready = containers.filter(({ ready }) => !ready);
  const ready: Omit<NewCondition, "type"> = ended
    ? { status: "False", reason: completed ? "PodCompleted" : "PodFailed" }
    : unready.length > 0
      ? {
          status: "False",
          reason: "ContainersNotReady",
          message: `containers with unready status: [${names(unready)}]`,
        }
      : { status: "True" };
  const initialized: Omit<NewCondition, "type"> =
    incomplete.length > 0
      ? {
          status: "False",
          reason: "ContainersNotInitialized",
          message: `containers with incomplete status: [${names(incomplete)}]`,
        }
      : { status: "True", ...(completed ? { reason: "PodCompleted" } : {}) };
  return [
    { type: "PodReadyToStartContainers", status: podIP !== undefined && !final ? "True" : "False" },
    { type: "Initialized", ...initialized },
    { type: "Ready", ...ready },
    { type: "ContainersReady", ...ready },
    { type: "PodScheduled", status: "True" },
  ];
}

function names(containers: ContainerView[]): string {
  return containers.map(({ name }) => name).join(" ");
}

function containerStatus(
  { name, state, ready, containerID }: ContainerView,
  spec: Container,
  init: boolean,
): ContainerStatus {
  const started = containerID !== undefined;
  const { limits, requests } = spec.resources ?? {};
  return {
    name,
    state,
    lastState: {},
    ready: init ? succeeded({ name, state, ready, containerID }) : ready,
    restartCount: 0,
    image: started ? resolvedImage(spec.image) : spec.image,
    imageID: started ? `sha256:${createHash("sha256").update(spec.image).digest("hex")}` : "",
    ...(started ? { containerID } : {}),
    started: "running" in state,
    ...(started && requests ? { allocatedResources: requests } : {}),
    ...(started
      ? { resources: limits || requests ? { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) } : {} }
      : {}),
    ...(spec.volumeMounts ? { volumeMounts: spec.volumeMounts.map(mountStatus) } : {}),
  };
}

function mountStatus({ name, mountPath, readOnly }: VolumeMount): object {
  return { name, mountPath, ...(readOnly ? { readOnly, recursiveReadOnly: "Disabled" } : {}) };
}

/** The whole name of an image: Docker Hub where no registry is named. */
function resolvedImage(image: string): string {
  const tagged = /[:@][^/]+$/.test(image) ? image : `${image}:latest`;
  const [first, ...rest] = tagged.split("/") as [string, ...string[]];
  if (rest.length === 0) return `docker.io/library/${tagged}`;
  return first.includes(".") || first.includes(":") || first === "localhost" ? tagged : `docker.io/${tagged}`;
}
