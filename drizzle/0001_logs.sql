CREATE TABLE "log_chunks" (
	"day" date NOT NULL,
	"stream_id" bigint NOT NULL,
	"first_seq" bigint NOT NULL,
	"first_time" bigint NOT NULL,
	"min_time" bigint NOT NULL,
	"max_time" bigint NOT NULL,
	"prior_time" bigint NOT NULL,
	"checksum" bigint NOT NULL,
	"lines" integer NOT NULL,
	"line_bytes" integer NOT NULL,
	"time_bytes" integer NOT NULL,
	"payload_bytes" integer NOT NULL,
	"output_bytes" integer NOT NULL,
	"levels" integer NOT NULL,
	"standard_streams" boolean NOT NULL,
	"codec" text NOT NULL,
	"data" "bytea" NOT NULL,
	CONSTRAINT "log_chunks_pkey" PRIMARY KEY("day","stream_id","first_seq"),
	CONSTRAINT "log_chunks_lines_valid" CHECK ("log_chunks"."lines" > 0),
	CONSTRAINT "log_chunks_codec_valid" CHECK ("log_chunks"."codec" in ('none', 'zstd'))
) PARTITION BY RANGE ("day");
--> statement-breakpoint
CREATE TABLE "log_gaps" (
	"day" date NOT NULL,
	"stream_id" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"reason" text NOT NULL,
	"certain" boolean NOT NULL,
	"from_time" bigint,
	"until_time" bigint,
	CONSTRAINT "log_gaps_pkey" PRIMARY KEY("day","stream_id","seq","reason"),
	CONSTRAINT "log_gaps_reason_valid" CHECK ("log_gaps"."reason" in ('rotated', 'late_start', 'source_changed', 'spool_full'))
) PARTITION BY RANGE ("day");
--> statement-breakpoint
CREATE TABLE "log_handovers" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "log_handovers_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"stream_id" bigint NOT NULL,
	"first_seq" bigint NOT NULL,
	"content" jsonb NOT NULL,
	"data" "bytea" NOT NULL,
	"digest" "bytea" NOT NULL,
	"unjoined_at" timestamp (3) with time zone,
	CONSTRAINT "log_handovers_content" UNIQUE("stream_id","digest")
);
--> statement-breakpoint
CREATE TABLE "log_removals" (
	"stream_id" bigint PRIMARY KEY NOT NULL,
	"day" date NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_streams" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "log_streams_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"step_id" text NOT NULL,
	"run_id" text NOT NULL,
	"day" date NOT NULL,
	"ordinal" integer NOT NULL,
	"pod" text NOT NULL,
	"pod_uid" text NOT NULL,
	"container" text NOT NULL,
	"restart" integer NOT NULL,
	"role" text NOT NULL,
	"runner" integer,
	"named" boolean NOT NULL,
	"fence" bigint NOT NULL,
	"next_seq" bigint DEFAULT 0 NOT NULL,
	"output_bytes" bigint DEFAULT 0 NOT NULL,
	"max_time" bigint,
	"position" jsonb,
	"counts" jsonb NOT NULL,
	"gaps" integer DEFAULT 0 NOT NULL,
	"unjoined" integer DEFAULT 0 NOT NULL,
	"sealed_at" timestamp (3) with time zone,
	"sha256" text,
	"verified" text,
	"verified_by" text,
	"truncated" text,
	"expired_at" timestamp (3) with time zone,
	CONSTRAINT "log_streams_ordinal" UNIQUE("run_id","ordinal"),
	CONSTRAINT "log_streams_instance" UNIQUE("step_id","pod_uid","container","restart"),
	CONSTRAINT "log_streams_role_valid" CHECK ("log_streams"."role" in ('initializer', 'starter', 'runner', 'init', 'other')),
	CONSTRAINT "log_streams_verified_valid" CHECK ("log_streams"."verified" in ('full', 'suffix')),
	CONSTRAINT "log_streams_verified_by_valid" CHECK ("log_streams"."verified_by" in ('node', 'api')),
	CONSTRAINT "log_streams_seal_whole" CHECK (("log_streams"."sealed_at" is null) = ("log_streams"."sha256" is null)),
	CONSTRAINT "log_streams_sha256_valid" CHECK ("log_streams"."sha256" ~ '^[0-9a-f]{64}$')
) WITH (fillfactor = 70);
--> statement-breakpoint
ALTER TABLE "teams" ADD COLUMN "log_retention_days" integer;--> statement-breakpoint
ALTER TABLE "log_handovers" ADD CONSTRAINT "log_handovers_stream" FOREIGN KEY ("stream_id") REFERENCES "public"."log_streams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "log_streams" ADD CONSTRAINT "log_streams_step" FOREIGN KEY ("step_id") REFERENCES "public"."test_run_steps"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "log_streams_kept" ON "log_streams" USING btree ("day") WHERE "log_streams"."expired_at" is null;--> statement-breakpoint
ALTER TABLE "teams" ADD CONSTRAINT "teams_log_retention_valid" CHECK ("teams"."log_retention_days" between 1 and 3650);--> statement-breakpoint
ALTER TABLE "log_chunks" ALTER COLUMN "data" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "log_handovers" ALTER COLUMN "data" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "log_streams" ALTER COLUMN "position" SET STORAGE EXTERNAL;--> statement-breakpoint
COMMENT ON COLUMN "teams"."log_retention_days" IS 'days for which the logs of an ended run are kept; null: as long as the installation keeps any';--> statement-breakpoint
COMMENT ON TABLE "log_streams" IS 'container instances with what was read of their output; no column that a commit changes is in an index';--> statement-breakpoint
COMMENT ON COLUMN "log_streams"."day" IS 'the day on which the run was created, in UTC: the partition of its chunks and gaps';--> statement-breakpoint
COMMENT ON COLUMN "log_streams"."fence" IS 'of the holder that opened the stream last; a write under another number is refused';--> statement-breakpoint
COMMENT ON COLUMN "log_streams"."max_time" IS 'greatest time of any line, in nanoseconds since the epoch';--> statement-breakpoint
COMMENT ON TABLE "log_chunks" IS 'consecutive lines of one stream; no foreign key: rows go with their partition, or by log_removals';--> statement-breakpoint
COMMENT ON COLUMN "log_chunks"."checksum" IS 'CRC-32 of the payload before compression';--> statement-breakpoint
COMMENT ON TABLE "log_gaps" IS 'where lines of a stream are missing, or may be';--> statement-breakpoint
COMMENT ON COLUMN "log_gaps"."seq" IS 'of the line behind the gap';--> statement-breakpoint
COMMENT ON TABLE "log_handovers" IS 'lines that a process had read and could not store, for the holder of their stream';--> statement-breakpoint
COMMENT ON TABLE "log_removals" IS 'streams whose chunks and gaps are to be deleted, also of runs that are gone from the database';
