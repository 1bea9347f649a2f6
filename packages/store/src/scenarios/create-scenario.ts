import { TailraceError, type ScenarioConfig, type ScenarioRecord } from "@tailrace/core";
import type { Db } from "../database.ts";
import { hasSqlState } from "../failures.ts";
import { scenarios } from "../schema/index.ts";
import { toScenario } from "./rows.ts";

const FOREIGN_KEY_VIOLATION = "23503";

export async function createScenario(
  db: Db,
  scenario: { id: string; teamId: string; name: string; config: ScenarioConfig },
): Promise<ScenarioRecord> {
  try {
    const [row] = await db.insert(scenarios).values(scenario).onConflictDoNothing().returning();
    if (row === undefined) throw new TailraceError("CONFLICT", `scenario ${scenario.id} exists already`);
    return toScenario(row);
  } catch (error) {
    if (hasSqlState(error, FOREIGN_KEY_VIOLATION)) throw new TailraceError("NOT_FOUND", `no team ${scenario.teamId}`);
    throw error;
  }
}
