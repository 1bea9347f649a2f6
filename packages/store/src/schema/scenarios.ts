import type { ScenarioConfig } from "@tailrace/core";
import { check, foreignKey, index, jsonb, pgTable, primaryKey, text } from "../drizzle.ts";
import { isId, sequence, time } from "./columns.ts";
import { teams } from "./teams.ts";

export const scenarios = pgTable(
  "scenarios",
  {
    teamId: text("team_id").notNull(),
    id: text("id").notNull(),
    seq: sequence(),
    name: text("name").notNull(),
    config: jsonb("config").$type<ScenarioConfig>().notNull(),
    createdAt: time("created_at").notNull().defaultNow(),
    updatedAt: time("updated_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ name: "scenarios_pkey", columns: [table.teamId, table.id] }),
    foreignKey({ name: "scenarios_team", columns: [table.teamId], foreignColumns: [teams.id] }),
    index("scenarios_newest").on(table.teamId, table.seq),
    check("scenarios_id_valid", isId(table.id)),
  ],
);
