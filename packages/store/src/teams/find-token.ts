import type { TeamToken } from "@tailrace/core";
import { eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { teamTokens } from "../schema/index.ts";
import { toToken } from "./rows.ts";

export async function findToken(db: Db, hash: Uint8Array): Promise<TeamToken | null> {
  const [row] = await db.select().from(teamTokens).where(eq(teamTokens.hash, hash));
  return row === undefined ? null : toToken(row);
}
