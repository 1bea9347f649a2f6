import { bigint, foreignKey, jsonb, pgTable, unique } from "../drizzle.ts";
import { bytea, time } from "./columns.ts";
import { logStreams } from "./log-streams.ts";

/** Lines that a process had read and could not store, for the holder of their stream. */
export const logHandovers = pgTable(
  "log_handovers",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    streamId: bigint("stream_id", { mode: "number" }).notNull(),
    firstSeq: bigint("first_seq", { mode: "number" }).notNull(),
    /** Everything but the chunks' data: their rows, gaps, position and counts. */
    content: jsonb("content").notNull(),
    /** The chunks' data, one behind the other. */
    data: bytea("data").notNull(),
    /** SHA-256 of content and data, so that a repeated one is the same one. */
    digest: bytea("digest").notNull(),
    /** When it was found that its lines can't be joined. */
    unjoinedAt: time("unjoined_at"),
  },
  (table) => [
    foreignKey({ name: "log_handovers_stream", columns: [table.streamId], foreignColumns: [logStreams.id] }).onDelete(
      "cascade",
    ),
    unique("log_handovers_content").on(table.streamId, table.digest),
  ],
);
