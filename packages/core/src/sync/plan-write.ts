import { isEnded } from "../domain.ts";
import type { StepPatch, StepRecord } from "../ports/store.ts";
import type { Decision } from "./reconcile.ts";
import { atStage } from "./reconcile.ts";

/** What a sync found out beside the decision. */
export interface SyncFindings {
  /** The snapshot made now, with its SHA-256 as in {@link StepRecord}; null when none was made. */
  containerLogs: { text: string; hash: string } | null;
  /** From the initializer's report, once it was read. */
  totalDurationMs: number | null;
  /** When the step's objects are to be deleted from the cluster after its end; null for never. */
  deleteAt: Date | null;
}

/** True when status, stage or error differ from what is stored: the snapshot must then be read anew. */
export function statusChanged(step: StepRecord, decision: Decision): boolean {
  return decision.status !== step.status || decision.stage !== step.stage || decision.error !== step.error;
}

/**
 * What one sync writes, or null for nothing. Logs are written when the status changed, when none exist yet, or when
 * their content changed, always in the same update as the status.
 */
export function planWrite(step: StepRecord, decision: Decision, findings: SyncFindings, now: number): StepPatch | null {
  const changed = statusChanged(step, decision);
  const { containerLogs } = findings;
  const logsDue = containerLogs !== null && (changed || containerLogs.hash !== step.containerLogsHash);
  const durationDue = findings.totalDurationMs !== null && findings.totalDurationMs !== step.totalDurationMs;
  if (!changed && !logsDue && !durationDue) return null;

  const patch: StepPatch = {};
  if (decision.status !== step.status) patch.status = decision.status;
  if (decision.error !== step.error) patch.error = decision.error;
  if (decision.stage !== step.stage) {
    const next = atStage(step, decision.stage, now);
    patch.stage = next.stage;
    patch.stageChangedAt = new Date(now);
    if (next.startedAt !== null && step.startedAt === null) patch.startedAt = next.startedAt;
  }
  if (logsDue) patch.containerLogs = containerLogs.text;
  if (durationDue) patch.totalDurationMs = findings.totalDurationMs!;
  if (isEnded(decision.status) && !isEnded(step.status)) {
    patch.finishedAt = new Date(now);
    patch.cleanup = { deleteAt: findings.deleteAt };
  }
  return patch;
}
