import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { scenariosGet } from "../../schemas/scenarios.ts";
import { findScenario } from "./find.ts";
import { type Scenario, viewScenario } from "./view.ts";

export async function getScenario({ ctx, input }: Call<z.output<typeof scenariosGet>>): Promise<Scenario> {
  await requireRole(ctx, input.teamId, "viewer");
  return viewScenario(await findScenario(ctx, input.teamId, input.scenarioId));
}
