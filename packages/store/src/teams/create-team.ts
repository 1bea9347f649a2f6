import { TailraceError, type Team } from "@tailrace/core";
import type { Db } from "../database.ts";
import { teams } from "../schema/index.ts";
import { toTeam } from "./rows.ts";

export async function createTeam(db: Db, team: { id: string; name: string }): Promise<Team> {
  const [row] = await db.insert(teams).values({ id: team.id, name: team.name }).onConflictDoNothing().returning();
  if (row === undefined) throw new TailraceError("CONFLICT", `team ${team.id} exists already`);
  return toTeam(row);
}
