import {
  belongsToStep,
  buildConfigMap,
  buildTestRun,
  ClusterError,
  oneLine,
  type Action,
  type Cluster,
  type RunnerSettings,
  type StepRecord,
} from "@tailrace/core";

/** What an action found out. */
export type ActionResult =
  /** The TestRun of this step is there, with this UID. */
  | { kind: "test_run"; uid: string }
  /** There is no TestRun of this step. */
  | { kind: "absent" }
  | { kind: "done" };

/** Something is in the way that only a person can remove. */
class NameTakenError extends Error {
  override readonly name = "NameTakenError";
}

export interface ActionDeps {
  cluster: Cluster;
  runner: RunnerSettings;
}

/** Carries out one decision in the cluster. Rejects with ClusterError or {@link NameTakenError}; every action may be repeated. */
export async function act(
  action: Action,
  step: StepRecord,
  deps: ActionDeps,
  signal: AbortSignal,
): Promise<ActionResult> {
  const name = step.config.name;
  switch (action.kind) {
    case "create":
      return createTestRun(step, deps, signal);
    case "find":
      return findTestRun(step, deps.cluster, signal);
    case "confirm_absence": {
      const testRun = await deps.cluster.getTestRun(name, signal);
      return testRun?.metadata.uid === step.testRunUid ? { kind: "done" } : { kind: "absent" };
    }
    case "stop_runners":
      await Promise.all(action.pods.map((pod) => deps.cluster.stopRunner(pod, signal)));
      return { kind: "done" };
    case "delete_test_run":
      await deps.cluster.deleteTestRun(name, step.testRunUid!, signal);
      return { kind: "done" };
  }
}

async function createTestRun(
  step: StepRecord,
  { cluster, runner }: ActionDeps,
  signal: AbortSignal,
): Promise<ActionResult> {
  const config = { ...step.config, parallelism: step.config.parallelism ?? 1 };
  const input = { config, stepId: step.id, runId: step.runId, teamId: step.teamId, settings: runner };
  try {
    await cluster.createConfigMap(buildConfigMap(input), signal);
  } catch (error) {
    ignoreExisting(error);
    const configMap = await cluster.getConfigMap(step.config.name, signal);
    if (configMap === null || !belongsToStep(configMap, step.id)) {
      throw new NameTakenError(`a ConfigMap named ${step.config.name} exists that was not made for this run`);
    }
  }
  try {
    const created = await cluster.createTestRun(buildTestRun(input), signal);
    return { kind: "test_run", uid: created.metadata.uid };
  } catch (error) {
    ignoreExisting(error);
  }
  const found = await findTestRun(step, cluster, signal);
  if (found.kind === "test_run") return found;
  throw new NameTakenError(`a TestRun named ${step.config.name} exists that was not made for this run`);
}

async function findTestRun(step: StepRecord, cluster: Cluster, signal: AbortSignal): Promise<ActionResult> {
  const testRun = await cluster.getTestRun(step.config.name, signal);
  if (testRun === null || !belongsToStep(testRun, step.id)) return { kind: "absent" };
  return { kind: "test_run", uid: testRun.metadata.uid };
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof ClusterError) || error.code !== "already_exists") throw error;
}

const DOING: Record<Action["kind"], string> = {
  create: "creating the TestRun",
  find: "looking for the TestRun",
  confirm_absence: "asking for the TestRun",
  stop_runners: "stopping the runners",
  delete_test_run: "deleting the TestRun",
};

/** A failed action in one line, for the step. What is no failure of the cluster says nothing of itself. */
export function describeFailure(action: Action, error: unknown): string {
  const known = error instanceof ClusterError || error instanceof NameTakenError;
  return `${DOING[action.kind]}: ${known ? oneLine(error.message) : "internal error"}`;
}
