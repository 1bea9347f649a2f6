import { and, count, eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { isActive } from "../schema/columns.ts";
import { testRuns } from "../schema/index.ts";

export async function countActiveRuns(db: Db, teamId: string): Promise<number> {
  const [row] = await db
    .select({ active: count() })
    .from(testRuns)
    .where(and(eq(testRuns.teamId, teamId), isActive(testRuns.status)));
  return row?.active ?? 0;
}
