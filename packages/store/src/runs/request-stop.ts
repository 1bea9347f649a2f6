import type { Run } from "@tailrace/core";
import { and, eq, sql } from "../drizzle.ts";
import type { Database, Db } from "../database.ts";
import { isActive } from "../schema/columns.ts";
import { testRuns, testRunSteps } from "../schema/index.ts";
import { announceStep } from "../steps/announce-step.ts";
import { getRun } from "./get-run.ts";

/** Takes the run's row before its steps', the order of every writer. */
export function requestStop(database: Database, teamId: string, runId: string): Promise<Run | null> {
  return database.transaction(async (tx) => {
    if (await markRunStopping(tx, teamId, runId)) {
      for (const stepId of await markStepsStopping(tx, runId)) await announceStep(tx, stepId);
    }
    return getRun(tx, teamId, runId);
  });
}

async function markRunStopping(tx: Db, teamId: string, runId: string): Promise<boolean> {
  const rows = await tx
    .update(testRuns)
    .set({ status: "stopping", stopRequestedAt: sql`coalesce(${testRuns.stopRequestedAt}, clock_timestamp())` })
    .where(and(eq(testRuns.teamId, teamId), eq(testRuns.id, runId), isActive(testRuns.status)))
    .returning({ id: testRuns.id });
  return rows.length > 0;
}

async function markStepsStopping(tx: Db, runId: string): Promise<string[]> {
  const rows = await tx
    .update(testRunSteps)
    .set({ status: "stopping" })
    .where(and(eq(testRunSteps.runId, runId), isActive(testRunSteps.status)))
    .returning({ id: testRunSteps.id });
  return rows.map((row) => row.id);
}
