import type { LogSource, StreamCounts, StreamRole } from "@tailrace/core";
import {
  bigint,
  boolean,
  check,
  date,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  sql,
  text,
  unique,
} from "../drizzle.ts";
import { isOneOf, time } from "./columns.ts";
import { testRunSteps } from "./test-run-steps.ts";

const ROLES = ["initializer", "starter", "runner", "init", "other"] as const satisfies readonly StreamRole[];
const SOURCES = ["node", "api"] as const satisfies readonly LogSource[];

/** One container instance's output. Its row changes with every commit, so no column that changes is in an index. */
export const logStreams = pgTable(
  "log_streams",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    stepId: text("step_id").notNull(),
    runId: text("run_id").notNull(),
    /** The day on which the run was created, in UTC: the partition that has the stream's chunks and gaps. */
    day: date("day", { mode: "string" }).notNull(),
    /** The stream's place among those of its run, from 0. */
    ordinal: integer("ordinal").notNull(),
    pod: text("pod").notNull(),
    podUid: text("pod_uid").notNull(),
    container: text("container").notNull(),
    restart: integer("restart").notNull(),
    role: text("role").$type<StreamRole>().notNull(),
    runner: integer("runner"),
    named: boolean("named").notNull(),
    /** Of the holder that opened the stream last; a write under another number is refused. */
    fence: bigint("fence", { mode: "number" }).notNull(),
    nextSeq: bigint("next_seq", { mode: "number" }).notNull().default(0),
    outputBytes: bigint("output_bytes", { mode: "number" }).notNull().default(0),
    /** Nanoseconds since the epoch. */
    maxTime: bigint("max_time", { mode: "bigint" }),
    /** A `StreamPosition`, its bytes in base64. */
    position: jsonb("position"),
    counts: jsonb("counts").$type<StreamCounts>().notNull(),
    gaps: integer("gaps").notNull().default(0),
    /** Handovers whose lines could not be joined. */
    unjoined: integer("unjoined").notNull().default(0),
    sealedAt: time("sealed_at"),
    sha256: text("sha256"),
    verified: text("verified").$type<"full" | "suffix">(),
    verifiedBy: text("verified_by").$type<LogSource>(),
    truncated: text("truncated"),
    /** Since when its lines are deleted, or are being deleted, because of their age. */
    expiredAt: time("expired_at"),
  },
  (table) => [
    foreignKey({ name: "log_streams_step", columns: [table.stepId], foreignColumns: [testRunSteps.id] }).onDelete(
      "cascade",
    ),
    unique("log_streams_ordinal").on(table.runId, table.ordinal),
    unique("log_streams_instance").on(table.stepId, table.podUid, table.container, table.restart),
    index("log_streams_kept")
      .on(table.day)
      .where(sql`${table.expiredAt} is null`),
    check("log_streams_role_valid", isOneOf(table.role, ROLES)),
    check("log_streams_verified_valid", isOneOf(table.verified, ["full", "suffix"])),
    check("log_streams_verified_by_valid", isOneOf(table.verifiedBy, SOURCES)),
    check("log_streams_seal_whole", sql`(${table.sealedAt} is null) = (${table.sha256} is null)`),
    check("log_streams_sha256_valid", sql`${table.sha256} ~ '^[0-9a-f]{64}$'`),
  ],
);
