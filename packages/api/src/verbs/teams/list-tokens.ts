import type { Page, TeamToken } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { teamsListTokens } from "../../schemas/teams.ts";

export async function listTokens({ ctx, input }: Call<z.output<typeof teamsListTokens>>): Promise<Page<TeamToken>> {
  await requireRole(ctx, input.teamId, "admin");
  return { items: await ctx.store.listTokens(input.teamId), nextCursor: null };
}
