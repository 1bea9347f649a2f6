import { type ScenarioRecord, TailraceError } from "@tailrace/core";
import type { ApiContext } from "../../context.ts";

/** @throws TailraceError NOT_FOUND */
export async function findScenario(ctx: ApiContext, teamId: string, scenarioId: string): Promise<ScenarioRecord> {
  const scenario = await ctx.store.getScenario(teamId, scenarioId);
  if (scenario === null) throw scenarioNotFound(scenarioId);
  return scenario;
}

export function scenarioNotFound(scenarioId: string): TailraceError {
  return new TailraceError("NOT_FOUND", `scenario "${scenarioId}" not found`);
}
