import type { StepPatch, StepRecord } from "@tailrace/core";
import { and, eq, sql, type SQL } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { isActive } from "../schema/columns.ts";
import { clusterCleanups, testRuns, testRunSteps } from "../schema/index.ts";
import { runColumns, stepColumns } from "./rows.ts";

/**
 * Step, run and cleanup entry in one statement. It locks the run's row before the step's, the order of every writer.
 * A step that has ended is left as it is, and answered so: a repeated last write, after a lost answer, changes nothing.
 */
export async function writeStep(db: Db, id: string, fence: number, patch: StepPatch): Promise<StepRecord | null> {
  const runId = db.select({ runId: testRunSteps.runId }).from(testRunSteps).where(eq(testRunSteps.id, id));
  const locked = db.$with("locked").as(
    db
      .select({ id: testRuns.id, ...runColumns })
      .from(testRuns)
      .where(eq(testRuns.id, runId))
      .for("no key update"),
  );
  const step = db.$with("step").as(
    db
      .update(testRunSteps)
      .set({ fence, ...stepChanges(patch, sql`${locked.stopRequestedAt} is not null`) })
      .from(locked)
      .where(and(eq(testRunSteps.id, id), eq(testRunSteps.fence, fence), isActive(testRunSteps.status)))
      .returning({ ...stepColumns, teamId: locked.teamId, stopRequestedAt: locked.stopRequestedAt }),
  );
  const run = db.$with("run").as(
    db
      .update(testRuns)
      .set(runChanges(patch, { status: sql`${step.status}`, error: sql`${step.error}` }))
      .from(step)
      .where(eq(testRuns.id, step.runId))
      .returning({ id: testRuns.id }),
  );
  const cleanup = db.$with("cleanup", {}).as(
    sql`insert into ${clusterCleanups} (step_id, namespace, test_run_name, test_run_uid, due_at, delete_at)
      select ${step.id}, ${step.namespace}, ${step.config}->>'name', ${step.testRunUid}, clock_timestamp(),
        ${patch.cleanup?.deleteAt ?? null}::timestamptz
      from ${step}
      on conflict (step_id) do update
        set test_run_uid = excluded.test_run_uid, due_at = excluded.due_at, delete_at = excluded.delete_at`,
  );
  const parts = patch.cleanup === undefined ? [locked, step, run] : [locked, step, run, cleanup];
  const [written] = await db
    .with(...parts)
    .select()
    .from(step);
  return written ?? readEndedStep(db, id, fence);
}

function stepChanges(patch: StepPatch, stopRequested: SQL) {
  const { status, cleanup: _, ...rest } = patch;
  if (status === undefined) return rest;
  if (status === "finished" || status === "error") return { ...rest, status, leaseHolder: null, leaseExpiresAt: null };
  if (status === "stopping") return { ...rest, status };
  const stopping = sql`${testRunSteps.status} = 'stopping' or ${stopRequested}`;
  return { ...rest, status: sql`case when ${stopping} then 'stopping' else ${status} end` };
}

/** The run follows its step; its error is the step's last one, not what is being retried meanwhile. */
function runChanges(patch: StepPatch, step: { status: SQL; error: SQL }) {
  return {
    status: step.status,
    error: sql`case when ${step.status} = 'error' then ${step.error} end`,
    startedAt: patch.startedAt,
    finishedAt: patch.finishedAt,
  };
}

async function readEndedStep(db: Db, id: string, fence: number): Promise<StepRecord | null> {
  const [row] = await db
    .select({ ...stepColumns, ...runColumns })
    .from(testRunSteps)
    .innerJoin(testRuns, eq(testRuns.id, testRunSteps.runId))
    .where(and(eq(testRunSteps.id, id), eq(testRunSteps.fence, fence)));
  return row ?? null;
}
