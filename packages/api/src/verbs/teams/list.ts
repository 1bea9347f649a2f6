import type { Page, Team } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { teamsList } from "../../schemas/teams.ts";

/** A team's token sees its own team only. */
export async function listTeams({ ctx, input }: Call<z.output<typeof teamsList>>): Promise<Page<Team>> {
  if (ctx.principal.kind === "installation") return await ctx.store.listTeams(input);
  return { items: [await requireRole(ctx, ctx.principal.teamId, "viewer")], nextCursor: null };
}
