import { makeId } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { scenariosCreate } from "../../schemas/scenarios.ts";
import { checkScenarioConfig } from "./check.ts";
import { type Scenario, viewScenario } from "./view.ts";

/** @throws TailraceError CONFLICT when the team has a scenario of this id */
export async function createScenario({ ctx, input }: Call<z.output<typeof scenariosCreate>>): Promise<Scenario> {
  const { teamId, id = makeId(ctx.random(16)), name, ...config } = input;
  await requireRole(ctx, teamId, "runner");
  const checked = checkScenarioConfig(config, ctx.limits);
  return viewScenario(await ctx.store.createScenario({ id, teamId, name, config: checked }));
}
