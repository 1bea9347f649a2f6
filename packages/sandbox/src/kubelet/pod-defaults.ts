import type { Container, PodSpec } from "../store/kinds.ts";
import type { NewObject } from "../store/store.ts";

/** A pod that a client made itself, with the defaults that the sandbox needs. Its `restartPolicy` is taken for Never. */
export function podDefaults(pod: NewObject): NewObject {
  const spec = (pod.spec ?? {}) as Partial<PodSpec>;
  const container = (each: Container): Container => ({
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: "IfNotPresent",
    ...each,
    resources: each.resources ?? {},
  });
  return {
    ...pod,
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 30,
      serviceAccountName: "default",
      schedulerName: "default-scheduler",
      ...spec,
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(container) } : {}),
      containers: (spec.containers ?? []).map(container),
    },
    status: { phase: "Pending", qosClass: "BestEffort" },
  };
}
