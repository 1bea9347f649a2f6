import { TailraceError, type Role, type TeamToken } from "@tailrace/core";
import type { Db } from "../database.ts";
import { hasSqlState } from "../failures.ts";
import { teamTokens } from "../schema/index.ts";
import { toToken } from "./rows.ts";

const FOREIGN_KEY_VIOLATION = "23503";

export async function createToken(
  db: Db,
  token: { id: string; teamId: string; role: Role; name: string; hash: Uint8Array },
): Promise<TeamToken> {
  try {
    const [row] = await db.insert(teamTokens).values(token).onConflictDoNothing().returning();
    if (row === undefined) throw new TailraceError("CONFLICT", `token ${token.id} exists already`);
    return toToken(row);
  } catch (error) {
    if (hasSqlState(error, FOREIGN_KEY_VIOLATION)) throw new TailraceError("NOT_FOUND", `no team ${token.teamId}`);
    throw error;
  }
}
