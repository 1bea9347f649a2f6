import type { TestRunCondition } from "../store/kinds.ts";

/** The conditions of a TestRun that the operator has just seen, in its order. */
export function initialConditions(now: string): TestRunCondition[] {
  return [
    condition("CloudTestRun", "Unknown", "TestRunTypeUnknown", now),
    condition("TestRunRunning", "Unknown", "TestRunPreparation", now),
    condition("TeardownExecuted", "False", "TeardownExecutedFalse", now),
    condition("CloudTestRunAborted", "False", "CloudTestRunAbortedFalse", now),
    condition("CloudPLZTestRun", "False", "CloudPLZTestRunFalse", now),
  ];
}

export function withCondition(
  conditions: TestRunCondition[],
  type: string,
  status: "True" | "False",
  now: string,
): TestRunCondition[] {
  return conditions.map((each) => (each.type === type ? condition(type, status, `${type}${status}`, now) : each));
}

function condition(
  type: string,
  status: TestRunCondition["status"],
  reason: string,
  lastTransitionTime: string,
): TestRunCondition {
  return { lastTransitionTime, message: "", reason, status, type };
}
