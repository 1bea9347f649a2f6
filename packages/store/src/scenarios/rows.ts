import type { ScenarioRecord } from "@tailrace/core";
import { scenarios } from "../schema/index.ts";

export type ScenarioSummary = Omit<ScenarioRecord, "config">;

export const summaryColumns = {
  seq: scenarios.seq,
  id: scenarios.id,
  teamId: scenarios.teamId,
  name: scenarios.name,
  createdAt: scenarios.createdAt,
  updatedAt: scenarios.updatedAt,
};

export function toSummary(row: Omit<typeof scenarios.$inferSelect, "config">): ScenarioSummary {
  return {
    id: row.id,
    teamId: row.teamId,
    name: row.name,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export function toScenario(row: typeof scenarios.$inferSelect): ScenarioRecord {
  return { ...toSummary(row), config: row.config };
}
