import { TailraceError } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { teamsDeleteToken } from "../../schemas/teams.ts";

export async function deleteToken({ ctx, input }: Call<z.output<typeof teamsDeleteToken>>): Promise<void> {
  await requireRole(ctx, input.teamId, "admin");
  const deleted = await ctx.store.deleteToken(input.teamId, input.tokenId);
  if (!deleted) throw new TailraceError("NOT_FOUND", `token "${input.tokenId}" not found`);
}
