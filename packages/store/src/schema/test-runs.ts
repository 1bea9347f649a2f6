import type { RunStatus, Verdict } from "@tailrace/core";
import { check, foreignKey, index, integer, pgTable, primaryKey, sql, text } from "../drizzle.ts";
import { isActive, isId, isOneOf, RUN_STATUSES, sequence, time } from "./columns.ts";
import { teams } from "./teams.ts";

const VERDICTS = [
  "passed",
  "failed",
  "marked_failed",
  "aborted",
  "script_error",
  "config_error",
  "infrastructure_error",
] as const satisfies readonly Verdict[];

export const testRuns = pgTable(
  "test_runs",
  {
    id: text("id").primaryKey(),
    seq: sequence(),
    teamId: text("team_id").notNull(),
    /** No foreign key: a scenario that is deleted leaves its runs. */
    scenarioId: text("scenario_id").notNull(),
    comment: text("comment"),
    parallelism: integer("parallelism").notNull(),
    status: text("status").$type<RunStatus>().notNull().default("pending"),
    verdict: text("verdict").$type<Verdict>(),
    error: text("error"),
    createdAt: time("created_at").notNull().defaultNow(),
    startedAt: time("started_at"),
    finishedAt: time("finished_at"),
    stopRequestedAt: time("stop_requested_at"),
  },
  (table) => [
    foreignKey({ name: "test_runs_team", columns: [table.teamId], foreignColumns: [teams.id] }),
    index("test_runs_newest").on(table.teamId, table.seq),
    index("test_runs_newest_of_scenario").on(table.teamId, table.scenarioId, table.seq),
    index("test_runs_newest_by_status").on(table.teamId, table.status, table.seq),
    index("test_runs_active").on(table.teamId).where(isActive(table.status)),
    check("test_runs_id_valid", isId(table.id)),
    check("test_runs_scenario_id_valid", isId(table.scenarioId)),
    check("test_runs_parallelism_valid", sql`${table.parallelism} between 1 and 10`),
    check("test_runs_status_valid", isOneOf(table.status, RUN_STATUSES)),
    check("test_runs_verdict_valid", isOneOf(table.verdict, VERDICTS)),
  ],
);

/** What a team's `Idempotency-Key` was used for. It outlives its run, so that a key is not used for a second one. */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    teamId: text("team_id").notNull(),
    key: text("key").notNull(),
    requestHash: text("request_hash").notNull(),
    runId: text("run_id").notNull(),
    expiresAt: time("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ name: "idempotency_keys_pkey", columns: [table.teamId, table.key] }),
    foreignKey({ name: "idempotency_keys_team", columns: [table.teamId], foreignColumns: [teams.id] }),
    index("idempotency_keys_expiry").on(table.teamId, table.expiresAt),
  ],
);
