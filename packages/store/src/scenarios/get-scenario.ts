import type { ScenarioRecord } from "@tailrace/core";
import { and, eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { scenarios } from "../schema/index.ts";
import { toScenario } from "./rows.ts";

export async function getScenario(db: Db, teamId: string, id: string): Promise<ScenarioRecord | null> {
  const [row] = await db
    .select()
    .from(scenarios)
    .where(and(eq(scenarios.teamId, teamId), eq(scenarios.id, id)));
  return row === undefined ? null : toScenario(row);
}
