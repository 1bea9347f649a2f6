import { isEnded, type RunStatus } from "@tailrace/core";
import { and, eq, sql } from "drizzle-orm";
import type { Database, Db } from "../database.ts";
import { clusterCleanups, testRuns, testRunSteps } from "../schema/index.ts";

export function deleteRun(
  database: Database,
  teamId: string,
  runId: string,
): Promise<"deleted" | "active" | "not_found"> {
  return database.transaction(async (tx) => {
    const status = await lockRun(tx, teamId, runId);
    if (status === null) return "not_found";
    if (!isEnded(status)) return "active";
    await scheduleCleanupNow(tx, runId);
    await tx.delete(testRuns).where(eq(testRuns.id, runId));
    return "deleted";
  });
}

async function lockRun(tx: Db, teamId: string, runId: string): Promise<RunStatus | null> {
  const [row] = await tx
    .select({ status: testRuns.status })
    .from(testRuns)
    .where(and(eq(testRuns.teamId, teamId), eq(testRuns.id, runId)))
    .for("update");
  return row?.status ?? null;
}

async function scheduleCleanupNow(tx: Db, runId: string): Promise<void> {
  const steps = await tx
    .select({
      stepId: testRunSteps.id,
      namespace: testRunSteps.namespace,
      testRunName: sql<string>`${testRunSteps.config}->>'name'`,
      testRunUid: testRunSteps.testRunUid,
    })
    .from(testRunSteps)
    .where(eq(testRunSteps.runId, runId));
  const dueAt = sql`clock_timestamp()`;
  await tx
    .insert(clusterCleanups)
    .values(steps.map((step) => ({ ...step, dueAt })))
    .onConflictDoUpdate({ target: clusterCleanups.stepId, set: { dueAt } });
}
