import type { Condition, Job, JobStatus, Pod } from "../store/kinds.ts";

const DONE = {
  Succeeded: {
    target: "SuccessCriteriaMet",
    final: "Complete",
    reason: "CompletionsReached",
    message: "Reached expected number of succeeded pods",
    count: "succeeded",
  },
  Failed: {
    target: "FailureTarget",
    final: "Failed",
    reason: "BackoffLimitExceeded",
    message: "Job has reached the specified backoff limit",
    count: "failed",
  },
} as const;

export const JOB_FINALIZER = "batch.kubernetes.io/job-tracking";

/** One step of the Job controller; after it, it looks again. */
export type JobStep =
  | { do: "create-pod" }
  | { do: "set-status"; status: JobStatus }
  | { do: "release-pod"; pod: string }
  | { do: "nothing" };

/**
 * The next step for a Job with one completion and no retries, in the order that a cluster shows: the pod, the active
 * status, the target condition with the pod uncounted, the pod's finalizer, the final condition.
 *
 * @param pod - the Job's pod, undefined when there is none (any more)
 */
export function nextJobStep(job: Job, pod: Pod | undefined, now: string): JobStep {
  const { status } = job;
  const conditions = status.conditions ?? [];
  if (conditions.some(({ type }) => type === "Complete" || type === "Failed")) return { do: "nothing" };
  if (status.startTime === undefined && pod === undefined) return { do: "create-pod" };
  const base = { startTime: status.startTime ?? now };
  const target = conditions[0]?.type;
  if (target === undefined) {
    const phase = phaseForJob(pod);
    if (phase !== "Succeeded" && phase !== "Failed") {
      return unlessSame(status, {
        ...base,
        active: 1,
        terminating: 0,
        uncountedTerminatedPods: {},
        ready: isReady(pod) ? 1 : 0,
      });
    }
    const { target: type, reason, message, count } = DONE[phase];
    const uncounted = { [count]: [pod?.metadata.uid ?? ""] };
    return {
      do: "set-status",
      status: {
        conditions: [condition(type, reason, message, now)],
        ...base,
        terminating: 0,
        uncountedTerminatedPods: uncounted,
        ready: 0,
      },
    };
  }
  if (pod?.metadata.finalizers?.includes(JOB_FINALIZER)) return { do: "release-pod", pod: pod.metadata.name };
  const done = target === DONE.Succeeded.target ? DONE.Succeeded : DONE.Failed;
  const all = [...conditions, condition(done.final, done.reason, done.message, now)];
  const completion = done === DONE.Succeeded ? { completionTime: now } : {};
  return {
    do: "set-status",
    status: {
      conditions: all,
      ...base,
      ...completion,
      [done.count]: 1,
      terminating: 0,
      uncountedTerminatedPods: {},
      ready: 0,
    },
  };
}

/** A pod that is gone, or going, counts as failed unless it had succeeded (podReplacementPolicy TerminatingOrFailed). */
function phaseForJob(pod: Pod | undefined): string {
  if (pod === undefined) return "Failed";
  const phase = pod.status.phase ?? "Pending";
  return pod.metadata.deletionTimestamp !== undefined && phase !== "Succeeded" ? "Failed" : phase;
}

function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") === true;
}

function unlessSame(before: JobStatus, status: JobStatus): JobStep {
  return JSON.stringify(before) === JSON.stringify(status) ? { do: "nothing" } : { do: "set-status", status };
}

function condition(type: string, reason: string, message: string, now: string): Condition & { lastProbeTime: string } {
  return { type, status: "True", lastProbeTime: now, lastTransitionTime: now, reason, message };
}
