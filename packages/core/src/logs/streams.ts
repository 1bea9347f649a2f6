import type { PodObject } from "../kubernetes/objects.ts";
import { jobNameOf, roleOfJob, type PodRole } from "./containers.ts";

/** Where a stream's lines come from: the node's own log files, or `pods/log`. */
export type LogSource = "node" | "api";

/** What a container is for: `init` for every init container, else its pod's role. */
export type StreamRole = PodRole | "init";

/** One container instance, whose output is one stream. Pod UID, container and restart identify it. */
export interface ContainerInstance {
  podUid: string;
  pod: string;
  container: string;
  /** The kubelet's restart count; 0 for the first instance. */
  restart: number;
  role: StreamRole;
  /** The number of the runner whose pod this is, from 1; null in other pods. */
  runner: number | null;
  /** True when the pod has more than one container, so that a header must name this one. */
  named: boolean;
}

/** How an instance stands by its pod's status. */
export type InstanceState =
  | { phase: "waiting" }
  /** @param startedAt - milliseconds since the epoch; null where the kubelet does not say */
  | { phase: "running"; startedAt: number | null }
  | { phase: "terminated"; startedAt: number | null };

/** An instance that has begun, with where its log can be read. */
export interface ObservedInstance {
  instance: ContainerInstance;
  state: InstanceState;
  /** The node's name and address; null before the pod is scheduled. */
  node: NodeAddress | null;
  /** True when a later instance of the container has begun: `pods/log` gives this one as `previous` alone. */
  previous: boolean;
}

export interface NodeAddress {
  name: string;
  /** An IP address without brackets. */
  address: string;
}

/**
 * Every container instance of a pod that has begun, older ones first. Of a restarted container the one before is listed
 * too: the kubelet keeps one dead instance (kubelet, `maxPerPodContainerCount`).
 */
export function observedInstances(testRunName: string, pod: PodObject): ObservedInstance[] {
  const inits = pod.spec?.initContainers ?? [];
  const mains = pod.spec?.containers ?? [];
  const { role, runnerIndex } = roleOfJob(testRunName, jobNameOf(pod));
  const node = nodeOf(pod);
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []).map((status) => ({ status, init: true })),
    ...(pod.status?.containerStatuses ?? []).map((status) => ({ status, init: false })),
  ];
  return statuses.flatMap(({ status, init }) => {
    const base = {
      podUid: pod.metadata.uid,
      pod: pod.metadata.name,
      container: status.name,
      role: init ? ("init" as const) : role,
      runner: role === "runner" ? runnerIndex : null,
      named: inits.length + mains.length > 1,
    };
    const observed = (restart: number, state: InstanceState, previous: boolean): ObservedInstance => ({
      instance: { ...base, restart },
      state,
      node,
      previous,
    });
    const instances: ObservedInstance[] = [];
    const last = status.lastState?.terminated;
    // While a container waits to be restarted its count is still that of the instance that ended.
    const waitsAgain = status.state?.running === undefined && status.state?.terminated === undefined;
    const ended = waitsAgain ? status.restartCount : status.restartCount - 1;
    if (last !== undefined && ended >= 0)
      instances.push(observed(ended, { phase: "terminated", startedAt: milliseconds(last.startedAt) }, !waitsAgain));
    const { running, terminated } = status.state ?? {};
    if (running !== undefined)
      instances.push(
        observed(status.restartCount, { phase: "running", startedAt: milliseconds(running.startedAt) }, false),
      );
    if (terminated !== undefined)
      instances.push(
        observed(status.restartCount, { phase: "terminated", startedAt: milliseconds(terminated.startedAt) }, false),
      );
    return instances;
  });
}

/** Where a pod runs; null before it is scheduled. */
export function nodeOf(pod: PodObject): NodeAddress | null {
  const { nodeName } = pod.spec ?? {};
  const { hostIP } = pod.status ?? {};
  return nodeName === undefined || hostIP === undefined ? null : { name: nodeName, address: hostIP };
}

function milliseconds(time: string | undefined): number | null {
  const parsed = Date.parse(time ?? "");
  return Number.isNaN(parsed) ? null : parsed;
}

/** A stream's identity as one word, unique among all pods. */
export function instanceKey({
  podUid,
  container,
  restart,
}: Pick<ContainerInstance, "podUid" | "container" | "restart">): string {
  return `${podUid}/${container}/${restart}`;
}
