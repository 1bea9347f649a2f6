import type { Team } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { teamsGet } from "../../schemas/teams.ts";

export async function getTeam({ ctx, input }: Call<z.output<typeof teamsGet>>): Promise<Team> {
  return await requireRole(ctx, input.teamId, "viewer");
}
