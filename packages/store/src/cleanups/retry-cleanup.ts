import { eq, sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { clusterCleanups } from "../schema/index.ts";
import { leaseUntil } from "../steps/lease.ts";

/** Counts one failed attempt. */
export async function retryCleanup(db: Db, stepId: string, delayMs: number, error: string): Promise<void> {
  await db
    .update(clusterCleanups)
    .set({ dueAt: leaseUntil(delayMs), attempts: sql`${clusterCleanups.attempts} + 1`, error })
    .where(eq(clusterCleanups.stepId, stepId));
}
