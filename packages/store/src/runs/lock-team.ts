import { eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { teams } from "../schema/index.ts";

/** Until the transaction ends; foreign keys to the team are still checked meanwhile. @returns false when there is no such team. */
export async function lockTeam(tx: Db, teamId: string): Promise<boolean> {
  const rows = await tx.select({ id: teams.id }).from(teams).where(eq(teams.id, teamId)).for("no key update");
  return rows.length > 0;
}
