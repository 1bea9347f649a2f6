import type { Page } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { scenariosList } from "../../schemas/scenarios.ts";
import type { ScenarioSummary } from "./view.ts";

export async function listScenarios({
  ctx,
  input,
}: Call<z.output<typeof scenariosList>>): Promise<Page<ScenarioSummary>> {
  const { teamId, ...page } = input;
  await requireRole(ctx, teamId, "viewer");
  return await ctx.store.listScenarios(teamId, page);
}
