CREATE TABLE "cluster_cleanups" (
	"step_id" text PRIMARY KEY NOT NULL,
	"namespace" text NOT NULL,
	"test_run_name" text NOT NULL,
	"test_run_uid" text,
	"due_at" timestamp (3) with time zone NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"error" text
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"team_id" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"run_id" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY("team_id","key")
);
--> statement-breakpoint
CREATE TABLE "scenarios" (
	"team_id" text NOT NULL,
	"id" text NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "scenarios_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"config" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "scenarios_pkey" PRIMARY KEY("team_id","id"),
	CONSTRAINT "scenarios_id_valid" CHECK ("scenarios"."id" ~ '^[a-z0-9][a-z0-9-]{0,62}$')
);
--> statement-breakpoint
CREATE TABLE "team_tokens" (
	"team_id" text NOT NULL,
	"id" text NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "team_tokens_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"role" text NOT NULL,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "team_tokens_pkey" PRIMARY KEY("team_id","id"),
	CONSTRAINT "team_tokens_hash" UNIQUE("hash"),
	CONSTRAINT "team_tokens_id_valid" CHECK ("team_tokens"."id" ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
	CONSTRAINT "team_tokens_role_valid" CHECK ("team_tokens"."role" in ('viewer', 'runner', 'admin'))
);
--> statement-breakpoint
CREATE TABLE "teams" (
	"id" text PRIMARY KEY NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "teams_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "teams_id_valid" CHECK ("teams"."id" ~ '^[a-z0-9][a-z0-9-]{0,62}$')
);
--> statement-breakpoint
CREATE TABLE "test_run_steps" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"position" integer DEFAULT 0 NOT NULL,
	"namespace" text NOT NULL,
	"config" jsonb NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"stage" text,
	"error" text,
	"test_run_uid" text,
	"container_logs" text,
	"total_duration_ms" bigint,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"stage_changed_at" timestamp (3) with time zone,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"lease_holder" text,
	"lease_expires_at" timestamp (3) with time zone,
	"fence" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "test_run_steps_position" UNIQUE("run_id","position"),
	CONSTRAINT "test_run_steps_id_valid" CHECK ("test_run_steps"."id" ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
	CONSTRAINT "test_run_steps_status_valid" CHECK ("test_run_steps"."status" in ('pending', 'running', 'stopping', 'finished', 'error')),
	CONSTRAINT "test_run_steps_config_object" CHECK (jsonb_typeof("test_run_steps"."config") = 'object'),
	CONSTRAINT "test_run_steps_lease_whole" CHECK (("test_run_steps"."lease_holder" is null) = ("test_run_steps"."lease_expires_at" is null))
);
--> statement-breakpoint
CREATE TABLE "test_runs" (
	"id" text PRIMARY KEY NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "test_runs_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"team_id" text NOT NULL,
	"scenario_id" text NOT NULL,
	"comment" text,
	"parallelism" integer NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"verdict" text,
	"error" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"stop_requested_at" timestamp (3) with time zone,
	CONSTRAINT "test_runs_id_valid" CHECK ("test_runs"."id" ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
	CONSTRAINT "test_runs_scenario_id_valid" CHECK ("test_runs"."scenario_id" ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
	CONSTRAINT "test_runs_parallelism_valid" CHECK ("test_runs"."parallelism" between 1 and 10),
	CONSTRAINT "test_runs_status_valid" CHECK ("test_runs"."status" in ('pending', 'running', 'stopping', 'finished', 'error')),
	CONSTRAINT "test_runs_verdict_valid" CHECK ("test_runs"."verdict" in ('passed', 'failed', 'marked_failed', 'aborted', 'script_error', 'config_error', 'infrastructure_error'))
);
--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_team" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "scenarios" ADD CONSTRAINT "scenarios_team" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "team_tokens" ADD CONSTRAINT "team_tokens_team" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "test_run_steps" ADD CONSTRAINT "test_run_steps_run" FOREIGN KEY ("run_id") REFERENCES "public"."test_runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "test_runs" ADD CONSTRAINT "test_runs_team" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "cluster_cleanups_due" ON "cluster_cleanups" USING btree ("due_at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry" ON "idempotency_keys" USING btree ("team_id","expires_at");--> statement-breakpoint
CREATE INDEX "scenarios_newest" ON "scenarios" USING btree ("team_id","seq");--> statement-breakpoint
CREATE INDEX "teams_newest" ON "teams" USING btree ("seq");--> statement-breakpoint
CREATE INDEX "test_run_steps_claimable" ON "test_run_steps" USING btree ("lease_expires_at" NULLS FIRST) WHERE "test_run_steps"."status" in ('pending', 'running', 'stopping');--> statement-breakpoint
CREATE INDEX "test_run_steps_held" ON "test_run_steps" USING btree ("lease_holder") WHERE "test_run_steps"."status" in ('pending', 'running', 'stopping');--> statement-breakpoint
CREATE INDEX "test_runs_newest" ON "test_runs" USING btree ("team_id","seq");--> statement-breakpoint
CREATE INDEX "test_runs_newest_of_scenario" ON "test_runs" USING btree ("team_id","scenario_id","seq");--> statement-breakpoint
CREATE INDEX "test_runs_newest_by_status" ON "test_runs" USING btree ("team_id","status","seq");--> statement-breakpoint
CREATE INDEX "test_runs_active" ON "test_runs" USING btree ("team_id") WHERE "test_runs"."status" in ('pending', 'running', 'stopping');--> statement-breakpoint
COMMENT ON COLUMN "test_run_steps"."container_logs" IS 'container output logs with headers for multiple containers';--> statement-breakpoint
COMMENT ON COLUMN "test_run_steps"."config" IS 'script and settings as they were when the run was asked for';--> statement-breakpoint
COMMENT ON COLUMN "test_run_steps"."stage" IS 'status.stage of the TestRun as k6-operator reports it';--> statement-breakpoint
COMMENT ON COLUMN "test_run_steps"."test_run_uid" IS 'UID of the TestRun that was made for this step; once set, no other is made';--> statement-breakpoint
COMMENT ON COLUMN "test_run_steps"."fence" IS 'grows with every new lease; a write under an older number is refused';--> statement-breakpoint
COMMENT ON COLUMN "test_runs"."scenario_id" IS 'no foreign key: a scenario that is deleted leaves its runs';--> statement-breakpoint
COMMENT ON COLUMN "team_tokens"."hash" IS 'SHA-256 of the secret';--> statement-breakpoint
COMMENT ON TABLE "cluster_cleanups" IS 'what is to be deleted from the cluster, also for runs that are gone from the database';
