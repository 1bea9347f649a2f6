/** The operator's stages in their order (k6-operator, api/v1alpha1: forward only; `error` and `finished` are final). */
export const STAGES = ["initialization", "initialized", "created", "started", "stopped", "finished"] as const;

/** True while no runner has been started: the TestRun has no stage yet, or prepares its runners. */
export function isBeforeStarted(stage: string | null): boolean {
  return stage === null || stage === "" || stage === "initialization" || stage === "initialized" || stage === "created";
}

/** True while only the initializer is at work. */
export function isInitializing(stage: string | null): boolean {
  return stage === null || stage === "" || stage === "initialization";
}
