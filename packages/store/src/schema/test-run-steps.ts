import type { K6TestRunConfig, RunStatus } from "@tailrace/core";
import { bigint, check, foreignKey, index, integer, jsonb, pgTable, sql, text, unique } from "../drizzle.ts";
import { isActive, isId, isOneOf, RUN_STATUSES, time } from "./columns.ts";
import { testRuns } from "./test-runs.ts";

export const testRunSteps = pgTable(
  "test_run_steps",
  {
    id: text("id").primaryKey(),
    runId: text("run_id").notNull(),
    /** The step's place in its run, from 0. */
    position: integer("position").notNull().default(0),
    namespace: text("namespace").notNull(),
    /** Script and settings as they were when the run was asked for. */
    config: jsonb("config").$type<K6TestRunConfig>().notNull(),
    status: text("status").$type<RunStatus>().notNull().default("pending"),
    stage: text("stage"),
    error: text("error"),
    testRunUid: text("test_run_uid"),
    /** Container output logs with headers for multiple containers. */
    containerLogs: text("container_logs"),
    totalDurationMs: bigint("total_duration_ms", { mode: "number" }),
    createdAt: time("created_at").notNull().defaultNow(),
    stageChangedAt: time("stage_changed_at"),
    startedAt: time("started_at"),
    finishedAt: time("finished_at"),
    leaseHolder: text("lease_holder"),
    leaseExpiresAt: time("lease_expires_at"),
    /** Grows with every new lease; a write under an older number is refused. */
    fence: bigint("fence", { mode: "number" }).notNull().default(0),
  },
  (table) => [
    foreignKey({ name: "test_run_steps_run", columns: [table.runId], foreignColumns: [testRuns.id] }).onDelete(
      "cascade",
    ),
    unique("test_run_steps_position").on(table.runId, table.position),
    index("test_run_steps_claimable").on(table.leaseExpiresAt.nullsFirst()).where(isActive(table.status)),
    index("test_run_steps_held").on(table.leaseHolder).where(isActive(table.status)),
    check("test_run_steps_id_valid", isId(table.id)),
    check("test_run_steps_status_valid", isOneOf(table.status, RUN_STATUSES)),
    check("test_run_steps_config_object", sql`jsonb_typeof(${table.config}) = 'object'`),
    check("test_run_steps_lease_whole", sql`(${table.leaseHolder} is null) = (${table.leaseExpiresAt} is null)`),
  ],
);
