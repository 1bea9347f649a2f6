import { type Team, makeId } from "@tailrace/core";
import type { z } from "zod";
import { requireInstallation } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { teamsCreate } from "../../schemas/teams.ts";

/** @throws TailraceError CONFLICT when the id is taken */
export async function createTeam({ ctx, input }: Call<z.output<typeof teamsCreate>>): Promise<Team> {
  requireInstallation(ctx);
  return await ctx.store.createTeam({ id: input.id ?? makeId(ctx.random(16)), name: input.name });
}
