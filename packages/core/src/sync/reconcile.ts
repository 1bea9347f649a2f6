import { LABEL_STEP } from "../kubernetes/labels.ts";
import { FINALIZER, labelValue } from "../manifest/labels.ts";
import { isEnded, type RunStatus } from "../domain.ts";
import { jobNameOf, roleOfJob } from "../logs/containers.ts";
import type { ContainerSection } from "../logs/format.ts";
import type { ContainerState, LabelledObject, PodObject, TestRunObject } from "../kubernetes/objects.ts";
import type { Observation } from "../ports/cluster.ts";
import type { StepRecord } from "../ports/store.ts";
import {
  creationDeadline,
  inWords,
  stageDeadlines,
  type Deadline,
  type Deadlines,
  type ImageFailures,
} from "./deadlines.ts";
import { explainErrorStage } from "./explain.ts";
import { isBeforeStarted } from "./stage.ts";

/** What the supervisor of a step is to do in the cluster. */
export type Action =
  /** Make ConfigMap and TestRun, or adopt the one that is there and names this step. */
  | { kind: "create" }
  /** Look whether a TestRun of this step exists that the database does not know of, and record it. */
  | { kind: "find" }
  /** The watch does not show the TestRun: ask the API whether it is gone. */
  | { kind: "confirm_absence" }
  /** Ask k6 in each of these pods to stop. */
  | { kind: "stop_runners"; pods: string[] }
  | { kind: "delete_test_run" };

/** How a step ends, once its logs are read to their end. */
export interface Ending {
  status: "finished" | "error";
  /** True when the TestRun may still run something and must go now. */
  deleteNow: boolean;
  /** True when what still runs is to be stopped: the TestRun must go, or somebody has deleted it. */
  stopping: boolean;
}

/** What follows from what is known. */
export interface Decision {
  status: RunStatus;
  stage: string | null;
  error: string | null;
  action: Action | null;
  ending: Ending | null;
  /** When to decide again even if nothing happens, in milliseconds since the epoch; null for never. */
  wakeAt: number | null;
}

/** What is known of a step: the stored row, the cluster as watched, and what its supervisor has found out. */
export interface Knowledge {
  step: StepRecord;
  observation: Observation;
  /** False until the watch has seen a whole list: absence then means nothing. */
  synced: boolean;
  /** The API confirmed that the TestRun with the step's UID does not exist. */
  absent: boolean;
  /** What failed last and is being retried, in one line. */
  failure: string | null;
  /** Since when the cluster can't be seen, in milliseconds since the epoch; null while it can. */
  blindSince: number | null;
  imageFailures: ImageFailures;
  sections: readonly ContainerSection[];
  /** Milliseconds since the epoch. */
  now: number;
  deadlines: Deadlines;
}

/** How much longer than its own deadline a stop may take in all, for the deletion and the pods' grace period. */
const STOP_SLACK_MS = 120_000;

/** How long a TestRun may stay `stopped` before it counts as `finished`; the operator goes on at once. */
const STOPPED_GRACE_MS = 10_000;

/** Decides what to do about one step. Pure; the table of its tests is the definition of the statuses. */
export function reconcile(knowledge: Knowledge): Decision {
  const { step } = knowledge;
  if (isEnded(step.status)) return stay(knowledge, {});
  if (step.testRunUid === null) return withoutTestRun(knowledge);
  const { testRun } = knowledge.observation;
  if (testRun === null || testRun.metadata.uid !== step.testRunUid) return withAbsentTestRun(knowledge);
  return withTestRun(knowledge, testRun);
}

/** True when an object was made for this step. */
export function belongsToStep(object: LabelledObject, stepId: string): boolean {
  return object.metadata.labels?.[LABEL_STEP] === labelValue(stepId);
}

function withoutTestRun(knowledge: Knowledge): Decision {
  const { step, absent, now, deadlines, failure } = knowledge;
  const stopAsked = step.stopRequestedAt !== null;
  const deadline = creationDeadline(step, deadlines, failure);
  if (!stopAsked && now < deadline.at) return stay(knowledge, { action: { kind: "create" }, wakeAt: deadline.at });
  // A former holder may have made the TestRun and died before it wrote the UID, so absence is asked for, not assumed.
  if (!absent && (failure === null || now < deadline.at))
    return stay(knowledge, { action: { kind: "find" }, wakeAt: deadline.at });
  return stopAsked ? end(knowledge, "finished", null, !absent) : end(knowledge, "error", deadline.reason, !absent);
}

function withAbsentTestRun(knowledge: Knowledge): Decision {
  const { step, absent, synced, now } = knowledge;
  const stopped = step.stage === "stopped" && now >= (step.stageChangedAt?.getTime() ?? 0) + STOPPED_GRACE_MS;
  if (stopped) return end(knowledge, "finished", null, false);
  if (!absent) {
    const deadline = currentDeadline(knowledge, step.stage);
    const unknown = knowledge.blindSince !== null || knowledge.failure !== null;
    if (unknown && deadline !== null && deadline.at <= knowledge.now) {
      return end(knowledge, "error", deadline.reason, true);
    }
    return stay(knowledge, { action: synced ? { kind: "confirm_absence" } : null, wakeAt: deadline?.at ?? null });
  }
  if (step.stopRequestedAt !== null || step.stage === "stopped") return end(knowledge, "finished", null, false);
  return end(knowledge, "error", deletedIn(step.stage), false);
}

function withTestRun(before: Knowledge, testRun: TestRunObject): Decision {
  const stage = testRun.status?.stage || null;
  const knowledge = { ...before, step: atStage(before.step, stage, before.now) };
  const { step, observation, sections, now, deadlines } = knowledge;
  if (stage === "error") return end(knowledge, "error", explainErrorStage(step, observation, sections), false);
  if ((stage === "stopped" || stage === "finished") && isHeld(testRun) && outlastsDeletion(testRun, observation.pods))
    return withDeletion(knowledge, "started");
  if (stage === "finished") return end(knowledge, "finished", null, false);
  if (stage === "stopped") {
    const until = (step.stageChangedAt?.getTime() ?? now) + STOPPED_GRACE_MS;
    return now >= until ? end(knowledge, "finished", null, false) : stay(knowledge, { wakeAt: until });
  }
  const deadline = currentDeadline(knowledge, stage);
  if (deadline !== null && deadline.at <= now) return end(knowledge, "error", deadline.reason, true);
  if (isHeld(testRun)) return withDeletion(knowledge, stage);
  if (testRun.metadata.deletionTimestamp !== undefined) return stay(knowledge, { wakeAt: deadline?.at ?? null });
  if (step.stopRequestedAt !== null)
    return stopping(knowledge, stage, step.stopRequestedAt.getTime() + deadlines.stopMs);
  return stay(knowledge, { wakeAt: deadline?.at ?? null });
}

/** True for a deleted TestRun that our finalizer still holds. */
function isHeld({ metadata }: TestRunObject): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FINALIZER) === true;
}

/** True where a runner ran longer than until the TestRun's deletion: that is what ended it, whatever the stage says now. */
function outlastsDeletion({ metadata }: TestRunObject, pods: readonly PodObject[]): boolean {
  const deletedAt = Date.parse(metadata.deletionTimestamp ?? "");
  return runnerPods(metadata.name, pods)
    .flatMap(statesOf)
    .some(({ running, terminated }) => running !== undefined || Date.parse(terminated?.finishedAt ?? "") > deletedAt);
}

/** Whoever deleted it wants it stopped, and its logs are read before it goes. */
function withDeletion(knowledge: Knowledge, stage: string | null): Decision {
  const stopAsked = knowledge.step.stopRequestedAt !== null;
  return end(knowledge, stopAsked ? "finished" : "error", stopAsked ? null : deletedIn(stage), false, true);
}

function deletedIn(stage: string | null): string {
  const when = stage === null ? "before it had a stage" : `in stage ${stage}`;
  return `the TestRun was deleted by somebody else ${when}`;
}

/** The step with a stage seen now: what depends on the stage's time follows. */
export function atStage(step: StepRecord, stage: string | null, now: number): StepRecord {
  if (stage === step.stage) return step;
  const startedAt =
    step.startedAt ?? (stage === "started" || stage === "stopped" || stage === "finished" ? new Date(now) : null);
  return { ...step, stage, stageChangedAt: new Date(now), startedAt };
}

function stopping(knowledge: Knowledge, stage: string | null, giveUpAt: number): Decision {
  const { step, observation, now } = knowledge;
  if (isBeforeStarted(stage) || now >= giveUpAt) return stay(knowledge, { action: { kind: "delete_test_run" } });
  const pods = runningRunners(step.config.name, observation.pods);
  return stay(knowledge, { action: pods.length === 0 ? null : { kind: "stop_runners", pods }, wakeAt: giveUpAt });
}

function runnerPods(testRunName: string, pods: readonly PodObject[]): PodObject[] {
  return pods.filter((pod) => roleOfJob(testRunName, jobNameOf(pod)).role === "runner");
}

function statesOf({ status }: PodObject): ContainerState[] {
  return status?.containerStatuses?.flatMap(({ state }) => state ?? []) ?? [];
}

/** The runner pods in which k6 runs. */
export function runningRunners(testRunName: string, pods: readonly PodObject[]): string[] {
  return runnerPods(testRunName, pods)
    .filter((pod) => statesOf(pod).some(({ running }) => running !== undefined))
    .map((pod) => pod.metadata.name);
}

/**
 * The next deadline of a step that has a TestRun. While the cluster can't be seen none passes: what is known may be
 * old, and the TestRun may have ended well. Only a long blindness is an end of its own.
 */
function currentDeadline(
  { step, observation, deadlines, failure, blindSince, imageFailures }: Knowledge,
  stage: string | null,
): Deadline | null {
  const next =
    step.stopRequestedAt === null
      ? stageDeadlines(step, stage, observation, deadlines, imageFailures)[0]
      : stopDeadline(step.stopRequestedAt, deadlines, failure);
  if (next === undefined || blindSince === null) return next ?? null;
  const reason = `the cluster could not be reached for ${inWords(deadlines.endMs)}${failure === null ? "" : `: ${failure}`}`;
  return { at: Math.max(next.at, blindSince + deadlines.endMs), reason };
}

function stopDeadline(requestedAt: Date, deadlines: Deadlines, failure: string | null): Deadline {
  const limit = deadlines.stopMs + STOP_SLACK_MS;
  return {
    at: requestedAt.getTime() + limit,
    reason: `the run could not be stopped within ${inWords(limit)}${failure === null ? "" : `: ${failure}`}`,
  };
}

/** The status of a step that goes on. */
function activeStatus({ step }: Knowledge): RunStatus {
  if (step.stopRequestedAt !== null) return "stopping";
  return step.testRunUid === null ? "pending" : "running";
}

function stay(knowledge: Knowledge, rest: Partial<Pick<Decision, "action" | "wakeAt">>): Decision {
  const { step, failure } = knowledge;
  const ended = isEnded(step.status);
  return {
    status: ended ? step.status : activeStatus(knowledge),
    stage: step.stage,
    error: ended ? step.error : failure === null ? null : `${failure}; retrying`,
    action: null,
    ending: null,
    wakeAt: null,
    ...rest,
  };
}

function end(
  knowledge: Knowledge,
  status: Ending["status"],
  error: string | null,
  deleteNow: boolean,
  stopping = deleteNow,
): Decision {
  const ending: Ending = { status, deleteNow, stopping };
  return { status, stage: knowledge.step.stage, error, action: null, ending, wakeAt: null };
}
