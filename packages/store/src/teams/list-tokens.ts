import type { TeamToken } from "@tailrace/core";
import { desc, eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { teamTokens } from "../schema/index.ts";
import { toToken } from "./rows.ts";

/** Newest first. */
export async function listTokens(db: Db, teamId: string): Promise<TeamToken[]> {
  const rows = await db.select().from(teamTokens).where(eq(teamTokens.teamId, teamId)).orderBy(desc(teamTokens.seq));
  return rows.map(toToken);
}
