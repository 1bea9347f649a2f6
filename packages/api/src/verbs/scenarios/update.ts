import { type ScenarioConfig, TailraceError } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { scenariosUpdate } from "../../schemas/scenarios.ts";
import { checkScenarioConfig } from "./check.ts";
import { findScenario } from "./find.ts";
import { type Scenario, viewScenario } from "./view.ts";

const ATTEMPTS = 3;

type Changes = Omit<z.output<typeof scenariosUpdate>, "teamId" | "scenarioId" | "name">;

/**
 * Changes the given fields and leaves the others as they are, also where somebody else changes those at the same time.
 *
 * @throws TailraceError CONFLICT when others kept changing the scenario meanwhile
 */
export async function updateScenario({ ctx, input }: Call<z.output<typeof scenariosUpdate>>): Promise<Scenario> {
  const { teamId, scenarioId: id, name, ...changes } = input;
  await requireRole(ctx, teamId, "runner");
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const now = await findScenario(ctx, teamId, id);
    const config = checkScenarioConfig(mergeConfig(now.config, changes), ctx.limits);
    const changed = await ctx.store.replaceScenario({ id, teamId, name: name ?? now.name, config }, now.updatedAt);
    if (changed !== null) return viewScenario(changed);
  }
  throw new TailraceError("CONFLICT", `scenario "${id}" was changed by somebody else at the same time; try again`);
}

function mergeConfig(now: ScenarioConfig, changes: Changes): Record<string, unknown> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    Object.entries({ ...now, ...Object.fromEntries(given) }).filter(([, value]) => value !== null),
  );
}
