import { boolean, index, integer, pgTable, text } from "../drizzle.ts";
import { time } from "./columns.ts";

/** What is to be released and deleted in the cluster. An entry stands for itself, since its run may be gone from the database. */
export const clusterCleanups = pgTable(
  "cluster_cleanups",
  {
    stepId: text("step_id").primaryKey(),
    namespace: text("namespace").notNull(),
    testRunName: text("test_run_name").notNull(),
    testRunUid: text("test_run_uid"),
    /** When something is to be done next. */
    dueAt: time("due_at").notNull(),
    /** Our finalizer was taken off, or there is none to take off. */
    released: boolean("released").notNull().default(false),
    /** When TestRun and ConfigMap are to be deleted; NULL for never. */
    deleteAt: time("delete_at"),
    /** How many attempts have failed. */
    attempts: integer("attempts").notNull().default(0),
    error: text("error"),
  },
  (table) => [index("cluster_cleanups_due").on(table.dueAt)],
);
