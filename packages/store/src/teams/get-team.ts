import type { Team } from "@tailrace/core";
import { eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { teams } from "../schema/index.ts";
import { toTeam } from "./rows.ts";

export async function getTeam(db: Db, id: string): Promise<Team | null> {
  const [row] = await db.select().from(teams).where(eq(teams.id, id));
  return row === undefined ? null : toTeam(row);
}
