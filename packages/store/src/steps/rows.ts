import { sql } from "../drizzle.ts";
import { testRuns, testRunSteps } from "../schema/index.ts";

/** The columns of a `StepRecord`, by its own names. */
export const stepColumns = {
  id: testRunSteps.id,
  runId: testRunSteps.runId,
  namespace: testRunSteps.namespace,
  config: testRunSteps.config,
  status: testRunSteps.status,
  stage: testRunSteps.stage,
  error: testRunSteps.error,
  testRunUid: testRunSteps.testRunUid,
  containerLogsHash: sql<string | null>`encode(sha256(convert_to(${testRunSteps.containerLogs}, 'UTF8')), 'hex')`.as(
    "container_logs_hash",
  ),
  totalDurationMs: testRunSteps.totalDurationMs,
  createdAt: testRunSteps.createdAt,
  stageChangedAt: testRunSteps.stageChangedAt,
  startedAt: testRunSteps.startedAt,
  fence: testRunSteps.fence,
};

/** What a `StepRecord` tells of the step's run. */
export const runColumns = { teamId: testRuns.teamId, stopRequestedAt: testRuns.stopRequestedAt };
