import { LABEL_STEP } from "../kubernetes/labels.ts";

/** On every object of ours, and on the pods of a run, with the value {@link MANAGED_BY}. */
export const LABEL_MANAGED_BY = "app.kubernetes.io/managed-by";
export const MANAGED_BY = "tailrace";
export const LABEL_RUN = "tailrace.dev/run";
/** Keeps a deleted TestRun, and so its pods, until their logs are read. */
export const FINALIZER = "tailrace.dev/logs";
export const LABEL_TEAM = "tailrace.dev/team";

/**
 * An id as the value of a label, which may not end with `-` as an id may: a last `-` becomes `Z`, which no id has. So
 * different ids stay different.
 */
export function labelValue(id: string): string {
  return id.endsWith("-") ? `${id.slice(0, -1)}Z` : id;
}

/** The labels of one step's objects and pods. */
export function stepLabels(ids: { stepId: string; runId: string; teamId: string }): Record<string, string> {
  return {
    [LABEL_MANAGED_BY]: MANAGED_BY,
    [LABEL_STEP]: labelValue(ids.stepId),
    [LABEL_RUN]: labelValue(ids.runId),
    [LABEL_TEAM]: labelValue(ids.teamId),
  };
}
