import { index, integer, pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

/** What is to be deleted from the cluster. An entry stands for itself, since its run may be gone from the database. */
export const clusterCleanups = pgTable(
  "cluster_cleanups",
  {
    stepId: text("step_id").primaryKey(),
    namespace: text("namespace").notNull(),
    testRunName: text("test_run_name").notNull(),
    testRunUid: text("test_run_uid"),
    dueAt: time("due_at").notNull(),
    /** How many attempts have failed. */
    attempts: integer("attempts").notNull().default(0),
    error: text("error"),
  },
  (table) => [index("cluster_cleanups_due").on(table.dueAt)],
);
