import type { Cleanup } from "@tailrace/core";
import { and, asc, eq, lte, sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { clusterCleanups } from "../schema/index.ts";
import { leaseClock, leaseUntil } from "../steps/lease.ts";

export async function claimCleanups(
  db: Db,
  claim: { namespace: string; limit: number; hideMs: number },
): Promise<Cleanup[]> {
  const due = db.$with("due").as(
    db
      .select({ stepId: clusterCleanups.stepId })
      .from(clusterCleanups)
      .where(and(eq(clusterCleanups.namespace, claim.namespace), lte(clusterCleanups.dueAt, leaseClock)))
      .orderBy(asc(clusterCleanups.dueAt))
      .limit(claim.limit)
      .for("update", { skipLocked: true }),
  );
  return db
    .with(due)
    .update(clusterCleanups)
    .set({ dueAt: leaseUntil(claim.hideMs) })
    .from(due)
    .where(eq(clusterCleanups.stepId, due.stepId))
    .returning({
      stepId: clusterCleanups.stepId,
      namespace: clusterCleanups.namespace,
      testRunName: clusterCleanups.testRunName,
      testRunUid: clusterCleanups.testRunUid,
      attempts: clusterCleanups.attempts,
      released: clusterCleanups.released,
      deletion: sql<Cleanup["deletion"]>`case when ${clusterCleanups.deleteAt} is null then 'never'
        when ${clusterCleanups.deleteAt} <= ${leaseClock} then 'now' else 'later' end`,
    });
}
