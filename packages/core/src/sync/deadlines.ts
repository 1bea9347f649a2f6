import { jobNameOf, roleOfJob, waitingReason } from "../logs/containers.ts";
import type { ContainerStatus, PodObject } from "../kubernetes/objects.ts";
import type { Observation } from "../ports/cluster.ts";
import type { StepRecord } from "../ports/store.ts";
import { isBeforeStarted, isInitializing } from "./stage.ts";

/** How long each part of a run may take, in milliseconds. */
export interface Deadlines {
  /** From the run's creation to a TestRun in the cluster. */
  creationMs: number;
  /** From the TestRun's creation to the end of its initializer. */
  initializationMs: number;
  /** How long a scheduled pod may wait for an image that can't be pulled. */
  imageMs: number;
  /** How long a pod may be without a node. */
  unscheduledMs: number;
  /** From the initializer's end to the start of all runners. */
  createdMs: number;
  /** What is added to the initializer's totalDuration. */
  endMs: number;
  /** The longest run where the initializer's report could not be read. */
  unknownDurationMs: number;
  /** From the request to stop until the TestRun is deleted. */
  stopMs: number;
}

/** A deadline with the moment at which it passes and what to say then. */
export interface Deadline {
  at: number;
  reason: string;
}

/**
 * Since when pods, by UID, have been seen to fail at their image, in milliseconds since the epoch. Kubernetes does not
 * say: a pull that takes long is no failure, and the reasons of a failure alternate.
 */
export type ImageFailures = ReadonlyMap<string, number>;

const IMAGE_REASONS = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "RegistryUnavailable",
  "ImageInspectError",
]);

/** The deadline of a step that has no TestRun yet. */
export function creationDeadline(step: StepRecord, deadlines: Deadlines, failure: string | null): Deadline {
  const reason = `the TestRun could not be created within ${inWords(deadlines.creationMs)}`;
  return {
    at: step.createdAt.getTime() + deadlines.creationMs,
    reason: failure === null ? reason : `${reason}: ${failure}`,
  };
}

/** Every deadline that counts for a TestRun in this stage, the earliest first. */
export function stageDeadlines(
  step: StepRecord,
  stage: string | null,
  observation: Observation,
  deadlines: Deadlines,
  imageFailures: ImageFailures,
): Deadline[] {
  const found = isBeforeStarted(stage)
    ? [
        ...podDeadlines(step, observation.pods, deadlines, imageFailures),
        ...preparationDeadline(step, stage, observation, deadlines),
      ]
    : endDeadline(step, stage, deadlines);
  return found.toSorted((a, b) => a.at - b.at);
}

function preparationDeadline(
  step: StepRecord,
  stage: string | null,
  observation: Observation,
  deadlines: Deadlines,
): Deadline[] {
  const waiting = waitingPods(step, observation.pods);
  const detail = waiting.length === 0 ? "" : `; ${waiting.join("; ")}`;
  if (isInitializing(stage)) {
    const since = Date.parse(observation.testRun?.metadata.creationTimestamp ?? "") || step.createdAt.getTime();
    const what = stage
      ? `still in stage ${stage}`
      : "k6-operator has not taken it up (is it running, and watching this namespace?)";
    const reason = `initialization did not end within ${inWords(deadlines.initializationMs)}: ${what}${detail}`;
    return [{ at: since + deadlines.initializationMs, reason }];
  }
  const since = step.stageChangedAt?.getTime();
  if (since === undefined) return [];
  return [
    {
      at: since + deadlines.createdMs,
      reason: `the runners did not start within ${inWords(deadlines.createdMs)}: still in stage ${stage}${detail}`,
    },
  ];
}

function endDeadline(step: StepRecord, stage: string | null, deadlines: Deadlines): Deadline[] {
  if (stage !== "started" || step.startedAt === null) return [];
  const started = step.startedAt.getTime();
  if (step.totalDurationMs === null) {
    const reason = `the run did not end within ${inWords(deadlines.unknownDurationMs)}, the limit where the script's duration could not be read`;
    return [{ at: started + deadlines.unknownDurationMs, reason }];
  }
  const limit = step.totalDurationMs + deadlines.endMs;
  const reason = `the run did not end within ${inWords(limit)}: the script's total duration of ${inWords(step.totalDurationMs)} and ${inWords(deadlines.endMs)} more`;
  return [{ at: started + limit, reason }];
}

function podDeadlines(
  step: StepRecord,
  pods: readonly PodObject[],
  deadlines: Deadlines,
  imageFailures: ImageFailures,
): Deadline[] {
  return pods.flatMap((pod) => {
    const scheduled = pod.status?.conditions?.find((condition) => condition.type === "PodScheduled");
    const created = Date.parse(pod.metadata.creationTimestamp ?? "");
    if (scheduled?.status === "False" && !Number.isNaN(created)) {
      const reason = `${podTitle(step, pod)} was not scheduled within ${inWords(deadlines.unscheduledMs)}: ${waitingReason(pod, undefined)}`;
      return [{ at: created + deadlines.unscheduledMs, reason }];
    }
    const status = imageFailure(pod);
    const since = imageFailures.get(pod.metadata.uid);
    if (status === undefined || since === undefined) return [];
    const image = status.image === undefined ? "" : ` ${status.image}`;
    const reason = `${podTitle(step, pod)} could not get its image${image} within ${inWords(deadlines.imageMs)}: ${waitingReason(pod, status)}`;
    return [{ at: since + deadlines.imageMs, reason }];
  });
}

function imageFailure(pod: PodObject): ContainerStatus | undefined {
  return statusesOf(pod).find(({ state }) => IMAGE_REASONS.has(state?.waiting?.reason ?? ""));
}

/** Adds the pods that fail now, and forgets those that do not any more. */
export function noteImageFailures(known: ImageFailures, pods: readonly PodObject[], now: number): ImageFailures {
  const failing = pods.filter((pod) => imageFailure(pod) !== undefined).map(({ metadata }) => metadata.uid);
  return new Map(failing.map((uid) => [uid, known.get(uid) ?? now]));
}

function waitingPods(step: StepRecord, pods: readonly PodObject[]): string[] {
  return pods.flatMap((pod) => {
    const status = statusesOf(pod).find(({ state }) => state?.waiting !== undefined);
    const unscheduled = pod.status?.conditions?.some(
      ({ type, status: value }) => type === "PodScheduled" && value === "False",
    );
    return status === undefined && !unscheduled ? [] : [`${podTitle(step, pod)} waits: ${waitingReason(pod, status)}`];
  });
}

function statusesOf(pod: PodObject): ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

function podTitle(step: StepRecord, pod: PodObject): string {
  const { role, runnerIndex } = roleOfJob(step.config.name, jobNameOf(pod));
  const who =
    role === "runner"
      ? `runner ${runnerIndex} of ${step.config.parallelism ?? 1}`
      : role === "other"
        ? "a pod"
        : `the ${role}`;
  return `${who} (${pod.metadata.name})`;
}

/** A duration as people write it: `45 s`, `2 min`, `1 h 30 min`. */
export function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    { count: Math.floor(seconds / 3600), unit: "h" },
    { count: Math.floor((seconds % 3600) / 60), unit: "min" },
    { count: seconds % 60, unit: "s" },
  ];
  const text = parts.filter(({ count }) => count > 0).map(({ count, unit }) => `${count} ${unit}`);
  return text.length === 0 ? `${Math.round(ms)} ms` : text.join(" ");
}
