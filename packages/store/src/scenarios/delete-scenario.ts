import { and, eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { scenarios } from "../schema/index.ts";

export async function deleteScenario(db: Db, teamId: string, id: string): Promise<boolean> {
  const rows = await db
    .delete(scenarios)
    .where(and(eq(scenarios.teamId, teamId), eq(scenarios.id, id)))
    .returning({ id: scenarios.id });
  return rows.length > 0;
}
