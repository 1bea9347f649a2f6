import type { Run, RunSummary, Step } from "@tailrace/core";
import type { testRuns, testRunSteps } from "../schema/index.ts";

type RunRow = typeof testRuns.$inferSelect;
type StepRow = typeof testRunSteps.$inferSelect;

export function toRunSummary(row: RunRow): RunSummary {
  return {
    id: row.id,
    teamId: row.teamId,
    scenarioId: row.scenarioId,
    comment: row.comment,
    parallelism: row.parallelism,
    status: row.status,
    verdict: row.verdict,
    error: row.error,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    stopRequestedAt: row.stopRequestedAt?.toISOString() ?? null,
  };
}

export function toRun(row: RunRow, steps: readonly StepRow[]): Run {
  return { ...toRunSummary(row), steps: steps.map(toStep) };
}

function toStep(row: StepRow): Step {
  return {
    name: row.config.name,
    stage: row.stage,
    status: row.status,
    containerLogs: row.containerLogs,
    error: row.error,
  };
}
