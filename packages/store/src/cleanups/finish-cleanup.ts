import { eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { clusterCleanups } from "../schema/index.ts";

export async function finishCleanup(db: Db, stepId: string): Promise<void> {
  await db.delete(clusterCleanups).where(eq(clusterCleanups.stepId, stepId));
}
