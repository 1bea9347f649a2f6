import type { Job, Pod, TestRun } from "../store/kinds.ts";
import { parseArguments } from "./arguments.ts";

/** What the operator sees of one TestRun. */
export interface OperatorView {
  testRun: TestRun;
  /** Jobs of the namespace, by name. */
  jobs: ReadonlyMap<string, Job>;
  /** Pods of the namespace. */
  pods: readonly Pod[];
  /** The initializer's whole log, once its pod has succeeded. */
  initializerLog: string | undefined;
}

/** One step of the operator; after it, it looks again. */
export type OperatorStep =
  | { do: "set-conditions" }
  | { do: "refuse-arguments" }
  | { do: "set-stage"; stage: "initialization" | "initialized" | "stopped" | "finished" | "error" }
  | { do: "create-initializer" }
  | { do: "not-a-cloud-test" }
  | { do: "create-runners" }
  | { do: "start" }
  | { do: "delete" }
  | { do: "wait"; reason: string };

/**
 * The next step for a TestRun, as k6-operator 1.5.0 takes it (internal/controller/testrun_controller.go). `error` comes
 * only from what happens before there are runners; what a runner or the starter does never leads to it.
 */
export function nextStep(view: OperatorView): OperatorStep {
  const { spec, status } = view.testRun;
  const name = view.testRun.metadata.name;
  const stage = status?.stage ?? "";
  switch (stage) {
    case "":
      return begin(view);
    case "initialization":
      return view.jobs.has(`${name}-initializer`) ? initialize(view) : { do: "create-initializer" };
    case "initialized":
      return runnerNames(view).some((runner) => view.jobs.has(runner))
        ? wait("a runner's job already exists")
        : { do: "create-runners" };
    case "created":
      return runnerNames(view).every((runner) => isServing(view, runner))
        ? { do: "start" }
        : wait("not all runners are ready");
    case "started":
      return runnerNames(view).every((runner) => hasEnded(view.jobs.get(runner)))
        ? { do: "set-stage", stage: "stopped" }
        : wait("runners are active");
    case "stopped":
      return { do: "set-stage", stage: "finished" };
    default:
      return spec.cleanup === "post" ? { do: "delete" } : wait(stage);
  }
}

function begin({ testRun: { spec, status } }: OperatorView): OperatorStep {
  if (spec.parallelism < 1) return wait("parallelism is below 1");
  if (parseArguments(spec.arguments) === null) return { do: "refuse-arguments" };
  if (status?.conditions === undefined) return { do: "set-conditions" };
  return { do: "set-stage", stage: spec.initializer?.disabled === true ? "initialized" : "initialization" };
}

function initialize(view: OperatorView): OperatorStep {
  const { spec, status, metadata } = view.testRun;
  const pod = podOf(view, `${metadata.name}-initializer`);
  if (pod?.status?.phase === "Failed") return { do: "set-stage", stage: "error" };
  if (pod?.status?.phase !== "Succeeded" || view.initializerLog === undefined)
    return wait("the initializer has not ended");
  const maxVUs = readMaxVUs(view.initializerLog);
  if (maxVUs === null || maxVUs < spec.parallelism) return { do: "set-stage", stage: "error" };
  const known = status?.conditions?.some((each) => each.type === "CloudTestRun" && each.status !== "Unknown");
  return known ? { do: "set-stage", stage: "initialized" } : { do: "not-a-cloud-test" };
}

/** @returns null when the log is not the pure JSON that the operator expects */
function readMaxVUs(log: string): number | null {
  try {
    const report = JSON.parse(log) as { maxVUs?: unknown } | null;
    return typeof report?.maxVUs === "number" ? report.maxVUs : 0;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function runnerNames({ testRun: { spec, metadata } }: OperatorView): string[] {
  return Array.from({ length: spec.parallelism }, (_, at) => `${metadata.name}-${at + 1}`);
}

/** The runner's Service answers only for a ready pod. */
function isServing(view: OperatorView, job: string): boolean {
  const pod = podOf(view, job);
  const ready = pod?.status?.conditions?.some((each) => each.type === "Ready" && each.status === "True");
  return pod?.status?.phase === "Running" && ready === true;
}

function podOf(view: OperatorView, job: string): Pod | undefined {
  const uid = view.jobs.get(job)?.metadata.uid;
  return view.pods.find((pod) => uid !== undefined && pod.metadata.ownerReferences?.[0]?.uid === uid);
}

/** No active pod any more, whether it succeeded or failed. */
function hasEnded(job: Job | undefined): boolean {
  return job?.status?.startTime !== undefined && (job.status.active ?? 0) === 0;
}

function wait(reason: string): OperatorStep {
  return { do: "wait", reason };
}
