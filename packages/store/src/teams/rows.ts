import type { Team, TeamToken } from "@tailrace/core";
import type { teams, teamTokens } from "../schema/index.ts";

export function toTeam(row: typeof teams.$inferSelect): Team {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.createdAt.toISOString(),
    logRetentionDays: row.logRetentionDays,
  };
}

export function toToken(row: Omit<typeof teamTokens.$inferSelect, "hash">): TeamToken {
  return { id: row.id, teamId: row.teamId, role: row.role, name: row.name, createdAt: row.createdAt.toISOString() };
}
