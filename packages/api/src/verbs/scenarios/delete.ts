import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { scenariosDelete } from "../../schemas/scenarios.ts";
import { scenarioNotFound } from "./find.ts";

/** The scenario's runs stay. */
export async function deleteScenario({ ctx, input }: Call<z.output<typeof scenariosDelete>>): Promise<void> {
  await requireRole(ctx, input.teamId, "admin");
  const deleted = await ctx.store.deleteScenario(input.teamId, input.scenarioId);
  if (!deleted) throw scenarioNotFound(input.scenarioId);
}
