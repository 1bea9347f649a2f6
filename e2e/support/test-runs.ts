import type { Run } from "@tailrace/client";
import type { TestRunObject } from "@tailrace/core";
import type { TestSandbox } from "./sandbox.ts";
import { until } from "./until.ts";

const TESTRUNS = { group: "k6.io", version: "v1alpha1", plural: "testruns" } as const;

/** The TestRun of a run's only step; null where there is none. */
export async function testRunOf({ cluster }: TestSandbox, run: Run): Promise<TestRunObject | null> {
  return await cluster.getTestRun(run.steps[0]!.name, AbortSignal.timeout(5000));
}

/** Deletes the TestRun of a run's only step, as `kubectl delete` does that does not wait. */
export async function deleteTestRun({ custom, sandbox }: TestSandbox, run: Run): Promise<void> {
  const { name } = run.steps[0]!;
  await custom.deleteNamespacedCustomObject({ ...TESTRUNS, namespace: sandbox.namespace, name });
}

/** Waits until the TestRun of a run's only step is gone. @returns the milliseconds that took */
export async function untilTestRunIsGone(there: TestSandbox, run: Run, timeoutMs?: number): Promise<number> {
  const begun = performance.now();
  await until("the end of the TestRun", async () => (await testRunOf(there, run)) === null, timeoutMs);
  return performance.now() - begun;
}

/** The names of the runners' pods, in their order. */
export async function runnerPods({ core, sandbox }: TestSandbox, run: Run): Promise<string[]> {
  const { items } = await core.listNamespacedPod({ namespace: sandbox.namespace, labelSelector: "runner=true" });
  const names = items.map(({ metadata }) => metadata!.name!);
  return names.filter((name) => name.startsWith(`${run.steps[0]!.name}-`)).toSorted();
}
