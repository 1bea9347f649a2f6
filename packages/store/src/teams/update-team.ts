import type { Team } from "@tailrace/core";
import { eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { teams } from "../schema/index.ts";
import { getTeam } from "./get-team.ts";
import { toTeam } from "./rows.ts";

export async function updateTeam(
  db: Db,
  id: string,
  { name, logRetentionDays }: { name?: string | undefined; logRetentionDays?: number | null | undefined },
): Promise<Team | null> {
  // drizzle refuses an UPDATE without columns.
  if (name === undefined && logRetentionDays === undefined) return getTeam(db, id);
  const [row] = await db.update(teams).set({ name, logRetentionDays }).where(eq(teams.id, id)).returning();
  return row === undefined ? null : toTeam(row);
}
