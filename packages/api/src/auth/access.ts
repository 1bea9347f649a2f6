import { type Role, type Team, TailraceError } from "@tailrace/core";
import type { ApiContext } from "../context.ts";

const RANK: Record<Role, number> = { viewer: 0, runner: 1, admin: 2 };

/**
 * Lets through who has at least the role in the team. A team that the caller does not belong to is answered like one
 * that does not exist, on the same path.
 *
 * @throws TailraceError NOT_FOUND or FORBIDDEN
 */
export async function requireRole(ctx: ApiContext, teamId: string, role: Role): Promise<Team> {
  const team = await ctx.store.getTeam(teamId);
  const { principal } = ctx;
  const belongs = principal.kind === "installation" || principal.teamId === teamId;
  if (team === null || !belongs) throw new TailraceError("NOT_FOUND", `team "${teamId}" not found`);
  if (principal.kind === "team" && RANK[principal.role] < RANK[role]) {
    throw new TailraceError("FORBIDDEN", `this needs the role ${role}; the token has the role ${principal.role}`);
  }
  return team;
}

/** @throws TailraceError FORBIDDEN for every token of a team */
export function requireInstallation(ctx: ApiContext): void {
  if (ctx.principal.kind !== "installation") {
    throw new TailraceError("FORBIDDEN", "this needs the installation's admin token");
  }
}
