import type { ScenarioConfig, ScenarioRecord } from "@tailrace/core";
import { and, eq, sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { scenarios } from "../schema/index.ts";
import { toScenario } from "./rows.ts";

/** `updatedAt` grows with every replacement, also with two in one millisecond, so that it tells versions apart. */
export async function replaceScenario(
  db: Db,
  scenario: { id: string; teamId: string; name: string; config: ScenarioConfig },
  expected: string,
): Promise<ScenarioRecord | null> {
  const expectedTime = new Date(expected);
  if (Number.isNaN(expectedTime.getTime())) return null;
  const [row] = await db
    .update(scenarios)
    .set({
      name: scenario.name,
      config: scenario.config,
      updatedAt: sql`greatest(clock_timestamp(), ${scenarios.updatedAt} + interval '1 millisecond')`,
    })
    .where(
      and(eq(scenarios.teamId, scenario.teamId), eq(scenarios.id, scenario.id), eq(scenarios.updatedAt, expectedTime)),
    )
    .returning();
  return row === undefined ? null : toScenario(row);
}
