ALTER TABLE "cluster_cleanups" ADD COLUMN "released" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "cluster_cleanups" ADD COLUMN "delete_at" timestamp (3) with time zone;--> statement-breakpoint
-- Until now an entry was due when its objects were to be deleted.
UPDATE "cluster_cleanups" SET "delete_at" = "due_at";
