import type { Page, RunSummary } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { runsList } from "../../schemas/runs.ts";

/** Newest first. */
export async function listRuns({ ctx, input }: Call<z.output<typeof runsList>>): Promise<Page<RunSummary>> {
  const { teamId, ...filter } = input;
  await requireRole(ctx, teamId, "viewer");
  return await ctx.store.listRuns(teamId, filter);
}
