import { eq, sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { clusterCleanups } from "../schema/index.ts";

export async function postponeCleanup(db: Db, stepId: string): Promise<void> {
  await db
    .update(clusterCleanups)
    .set({ released: true, dueAt: sql`coalesce(${clusterCleanups.deleteAt}, ${clusterCleanups.dueAt})`, attempts: 0 })
    .where(eq(clusterCleanups.stepId, stepId));
}
