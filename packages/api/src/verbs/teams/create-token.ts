import { type TeamToken, makeId } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import { hashSecret, makeTeamToken } from "../../auth/secrets.ts";
import type { Call } from "../../context.ts";
import type { teamsCreateToken } from "../../schemas/teams.ts";

/** A new token with its secret, which can't be shown again. */
export interface CreatedToken extends TeamToken {
  token: string;
}

export async function createToken({ ctx, input }: Call<z.output<typeof teamsCreateToken>>): Promise<CreatedToken> {
  await requireRole(ctx, input.teamId, "admin");
  const token = makeTeamToken(ctx.random);
  const stored = await ctx.store.createToken({
    id: makeId(ctx.random(16)),
    teamId: input.teamId,
    role: input.role,
    name: input.name,
    hash: hashSecret(token),
  });
  return { ...stored, token };
}
