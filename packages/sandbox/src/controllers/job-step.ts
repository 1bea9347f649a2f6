import type { StoredObject } from "../store/objects.ts";

const DONE = {
  Succeeded: { target: "SuccessCriteriaMet", final: "Complete", reason: "CompletionsReached", message: "Reached expected number of succeeded pods", count: "succeeded" },
  Failed: { target: "FailureTarget", final: "Failed", reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit", count: "failed" },
} as const;

export const JOB_FINALIZER = "batch.kubernetes.io/job-tracking";

/** One step of the Job controller; after it, it looks again. */
export type JobStep = { do: "create-pod" } | { do: "set-status"; status: object } | { do: "release-pod"; pod: string } | { do: "nothing" };

/**
 * The next step for a Job with one completion and no retries, in the order that a cluster shows: the pod, the active
 * status, the target condition with the pod uncounted, the pod's finalizer, the final condition.
 *
 * @param pod - the Job's pod, undefined when there is none (any more)
 */
export function nextJobStep(job: StoredObject, pod: StoredObject | undefined, now: string): JobStep {
  const status = job.status ?? {};
  const conditions: { type: string }[] = status.conditions ?? [];
  if (conditions.some(({ type }) => type === "Complete" || type === "Failed")) return { do: "nothing" };
  if (status.startTime === undefined && pod === undefined) return { do: "create-pod" };
  const base = { startTime: status.startTime ?? now };
  const target = conditions[0]?.type;
  if (target === undefined) {
    const phase: string = pod === undefined ? "Failed" : (pod.status?.phase ?? "Pending");
    if (phase !== "Succeeded" && phase !== "Failed") {
      return unlessSame(status, { ...base, active: 1, terminating: 0, uncountedTerminatedPods: {}, ready: isReady(pod) ? 1 : 0 });
    }
    const { target: type, reason, message, count } = DONE[phase];
    const uncounted = { [count]: [pod?.metadata.uid ?? ""] };
    return { do: "set-status", status: { conditions: [condition(type, reason, message, now)], ...base, terminating: 0, uncountedTerminatedPods: uncounted, ready: 0 } };
  }
  if (pod?.metadata.finalizers?.includes(JOB_FINALIZER)) return { do: "release-pod", pod: pod.metadata.name };
  const done = target === DONE.Succeeded.target ? DONE.Succeeded : DONE.Failed;
  const all = [...conditions, condition(done.final, done.reason, done.message, now)];
  const completion = done === DONE.Succeeded ? { completionTime: now } : {};
  return { do: "set-status", status: { conditions: all, ...base, ...completion, [done.count]: 1, terminating: 0, uncountedTerminatedPods: {}, ready: 0 } };
}

function isReady(pod: StoredObject | undefined): boolean {
  return pod?.status?.conditions?.some((each: { type: string; status: string }) => each.type === "Ready" && each.status === "True") === true;
}

function unlessSame(before: object, status: object): JobStep {
  return JSON.stringify(before) === JSON.stringify(status) ? { do: "nothing" } : { do: "set-status", status };
}

function condition(type: string, reason: string, message: string, now: string): { type: string } {
  return { type, status: "True", lastProbeTime: now, lastTransitionTime: now, reason, message } as { type: string };
}
