export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  lastTransitionTime: string;
}

/** The conditions of a TestRun that the operator has just seen, in its order. */
export function initialConditions(now: string): Condition[] {
  return [
    condition("CloudTestRun", "Unknown", "TestRunTypeUnknown", now),
    condition("TestRunRunning", "Unknown", "TestRunPreparation", now),
    condition("TeardownExecuted", "False", "TeardownExecutedFalse", now),
    condition("CloudTestRunAborted", "False", "CloudTestRunAbortedFalse", now),
    condition("CloudPLZTestRun", "False", "CloudPLZTestRunFalse", now),
  ];
}

export function withCondition(conditions: Condition[], type: string, status: "True" | "False", now: string): Condition[] {
  return conditions.map((each) => (each.type === type ? condition(type, status, `${type}${status}`, now) : each));
}

function condition(type: string, status: Condition["status"], reason: string, lastTransitionTime: string): Condition {
  return { lastTransitionTime, message: "", reason, status, type };
}
