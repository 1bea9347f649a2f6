import type { GapReason } from "@tailrace/core";
import { bigint, boolean, check, date, pgTable, primaryKey, text } from "../drizzle.ts";
import { isOneOf } from "./columns.ts";

const REASONS = ["rotated", "late_start", "source_changed", "spool_full"] as const satisfies readonly GapReason[];

/** Where lines of a stream are missing, or may be. Partitioned by day as `log_chunks` is. */
export const logGaps = pgTable(
  "log_gaps",
  {
    day: date("day", { mode: "string" }).notNull(),
    streamId: bigint("stream_id", { mode: "number" }).notNull(),
    /** The seq of the line behind it. */
    seq: bigint("seq", { mode: "number" }).notNull(),
    reason: text("reason").$type<GapReason>().notNull(),
    certain: boolean("certain").notNull(),
    fromTime: bigint("from_time", { mode: "bigint" }),
    untilTime: bigint("until_time", { mode: "bigint" }),
  },
  (table) => [
    primaryKey({ name: "log_gaps_pkey", columns: [table.day, table.streamId, table.seq, table.reason] }),
    check("log_gaps_reason_valid", isOneOf(table.reason, REASONS)),
  ],
);
