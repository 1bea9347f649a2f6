import { type Team, TailraceError } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { teamsUpdate } from "../../schemas/teams.ts";

/** Changes the given fields and leaves the others as they are. */
export async function updateTeam({ ctx, input }: Call<z.output<typeof teamsUpdate>>): Promise<Team> {
  const { teamId, ...change } = input;
  await requireRole(ctx, teamId, "admin");
  const team = await ctx.store.updateTeam(teamId, change);
  if (team === null) throw new TailraceError("NOT_FOUND", `team "${teamId}" not found`);
  return team;
}
