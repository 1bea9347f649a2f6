import type { Role } from "@tailrace/core";
import { check, foreignKey, index, integer, pgTable, primaryKey, sql, text, unique } from "../drizzle.ts";
import { bytea, isId, isOneOf, sequence, time } from "./columns.ts";

const ROLES = ["viewer", "runner", "admin"] as const satisfies readonly Role[];

export const teams = pgTable(
  "teams",
  {
    id: text("id").primaryKey(),
    seq: sequence(),
    name: text("name").notNull(),
    createdAt: time("created_at").notNull().defaultNow(),
    /** For how many days the logs of an ended run are kept; null for as long as the installation keeps any. */
    logRetentionDays: integer("log_retention_days"),
  },
  (table) => [
    index("teams_newest").on(table.seq),
    check("teams_id_valid", isId(table.id)),
    check("teams_log_retention_valid", sql`${table.logRetentionDays} between 1 and 3650`),
  ],
);

/** Bearer tokens of teams; of the secret only its SHA-256 is kept. */
export const teamTokens = pgTable(
  "team_tokens",
  {
    teamId: text("team_id").notNull(),
    id: text("id").notNull(),
    seq: sequence(),
    role: text("role").$type<Role>().notNull(),
    name: text("name").notNull(),
    hash: bytea("hash").notNull(),
    createdAt: time("created_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ name: "team_tokens_pkey", columns: [table.teamId, table.id] }),
    foreignKey({ name: "team_tokens_team", columns: [table.teamId], foreignColumns: [teams.id] }),
    unique("team_tokens_hash").on(table.hash),
    check("team_tokens_id_valid", isId(table.id)),
    check("team_tokens_role_valid", isOneOf(table.role, ROLES)),
  ],
);
