import type { ChunkCodec } from "@tailrace/core";
import { bigint, boolean, check, date, integer, pgTable, primaryKey, sql, text } from "../drizzle.ts";
import { bytea, isOneOf } from "./columns.ts";

const CODECS = ["none", "zstd"] as const satisfies readonly ChunkCodec[];

/**
 * Lines, many to a row, as core's `StoredChunk` says. Partitioned by day, which the schema here can't say, and so
 * without a foreign key: rows go with their partition, or by `log_removals`.
 */
export const logChunks = pgTable(
  "log_chunks",
  {
    day: date("day", { mode: "string" }).notNull(),
    streamId: bigint("stream_id", { mode: "number" }).notNull(),
    firstSeq: bigint("first_seq", { mode: "number" }).notNull(),
    firstTime: bigint("first_time", { mode: "bigint" }).notNull(),
    minTime: bigint("min_time", { mode: "bigint" }).notNull(),
    maxTime: bigint("max_time", { mode: "bigint" }).notNull(),
    priorTime: bigint("prior_time", { mode: "bigint" }).notNull(),
    checksum: bigint("checksum", { mode: "number" }).notNull(),
    lines: integer("lines").notNull(),
    lineBytes: integer("line_bytes").notNull(),
    timeBytes: integer("time_bytes").notNull(),
    payloadBytes: integer("payload_bytes").notNull(),
    outputBytes: integer("output_bytes").notNull(),
    levels: integer("levels").notNull(),
    standardStreams: boolean("standard_streams").notNull(),
    codec: text("codec").$type<ChunkCodec>().notNull(),
    data: bytea("data").notNull(),
  },
  (table) => [
    primaryKey({ name: "log_chunks_pkey", columns: [table.day, table.streamId, table.firstSeq] }),
    check("log_chunks_lines_valid", sql`${table.lines} > 0`),
    check("log_chunks_codec_valid", isOneOf(table.codec, CODECS)),
  ],
);
