import { bigint, date, pgTable } from "../drizzle.ts";

/** Streams whose chunks and gaps are to be deleted, a few at a time; their own rows may be gone already. */
export const logRemovals = pgTable("log_removals", {
  streamId: bigint("stream_id", { mode: "number" }).primaryKey(),
  day: date("day", { mode: "string" }).notNull(),
});
