import { and, eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { teamTokens } from "../schema/index.ts";

export async function deleteToken(db: Db, teamId: string, tokenId: string): Promise<boolean> {
  const rows = await db
    .delete(teamTokens)
    .where(and(eq(teamTokens.teamId, teamId), eq(teamTokens.id, tokenId)))
    .returning({ id: teamTokens.id });
  return rows.length > 0;
}
