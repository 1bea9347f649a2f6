import { isEnded, type RunStatus } from "@tailrace/core";
import { and, asc, eq, sql } from "../drizzle.ts";
import type { Database, Db } from "../database.ts";
import { clusterCleanups, logRemovals, logStreams, testRuns, testRunSteps } from "../schema/index.ts";

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
    await queueLogRemovals(tx, runId);
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
  const now = sql`clock_timestamp()`;
  await tx
    .insert(clusterCleanups)
    .values(steps.map((step) => ({ ...step, dueAt: now, deleteAt: now })))
    .onConflictDoUpdate({ target: clusterCleanups.stepId, set: { dueAt: now, deleteAt: now } });
}

/**
 * Nobody opens another stream while the run is locked. A commit that is under way has its stream locked; locking them in
 * the order of their ids, as commits do, waits for it and can't be part of a circle.
 */
async function queueLogRemovals(tx: Db, runId: string): Promise<void> {
  const streams = await tx
    .select({ streamId: logStreams.id, day: logStreams.day })
    .from(logStreams)
    .where(eq(logStreams.runId, runId))
    .orderBy(asc(logStreams.id))
    .for("update");
  if (streams.length > 0) await tx.insert(logRemovals).values(streams).onConflictDoNothing();
}
