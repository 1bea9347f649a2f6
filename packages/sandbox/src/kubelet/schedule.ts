import type { Container, Pod } from "../store/kinds.ts";

/** The only node. Nothing is really reserved: it is large, so that only what is meant not to fit does not. */
export const NODE = {
  name: "sandbox-node",
  cpu: 1000,
  memory: 1024 ** 4,
  labels: {
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
    "kubernetes.io/hostname": "sandbox-node",
  } as Record<string, string>,
};

/** Why the scheduler finds no node, in its words, or null when the node fits. */
export function unschedulable(pod: Pod): string | null {
  const reasons: string[] = [];
  const nodeSelector = pod.spec.nodeSelector ?? {};
  if (Object.entries(nodeSelector).some(([key, value]) => NODE.labels[key] !== value))
    reasons.push("1 node(s) didn't match Pod's node affinity/selector");
  if (requested(pod, "cpu") > NODE.cpu) reasons.push("1 Insufficient cpu");
  if (requested(pod, "memory") > NODE.memory) reasons.push("1 Insufficient memory");
  if (reasons.length === 0) return null;
  const preemption =
    "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
  return `0/1 nodes are available: ${reasons.join(", ")}. ${preemption}`;
}

function requested(pod: Pod, resource: "cpu" | "memory"): number {
  const of = (containers: Container[] | undefined): number[] =>
    (containers ?? []).map(({ resources }) =>
      quantity(resources?.requests?.[resource] ?? resources?.limits?.[resource] ?? "0"),
    );
  const together = of(pod.spec.containers).reduce((sum, each) => sum + each, 0);
  return Math.max(together, ...of(pod.spec.initContainers));
}

const FACTORS: Record<string, number> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
  Ei: 1024 ** 6,
};

/** A Kubernetes quantity as a number; 0 for what is none. */
function quantity(text: string | number): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(String(text));
  return match === null ? 0 : Number(match[1]) * (FACTORS[match[2]!] ?? 0);
}
