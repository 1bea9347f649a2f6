import { TailraceError, type NewRun, type Run } from "@tailrace/core";
import { sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { testRuns, testRunSteps } from "../schema/index.ts";
import { toRun } from "./rows.ts";

/** `now()` is when the transaction began, which is before the team's lock was waited for. */
const createdAt = sql`clock_timestamp()`;

export async function insertRun(tx: Db, run: NewRun): Promise<Run> {
  const [runRow] = await tx
    .insert(testRuns)
    .values({
      id: run.id,
      teamId: run.teamId,
      scenarioId: run.scenarioId,
      comment: run.comment,
      parallelism: run.step.config.parallelism ?? 1,
      createdAt,
    })
    .onConflictDoNothing()
    .returning();
  if (runRow === undefined) throw new TailraceError("CONFLICT", `run ${run.id} exists already`);
  const [stepRow] = await tx
    .insert(testRunSteps)
    .values({ id: run.step.id, runId: run.id, namespace: run.step.namespace, config: run.step.config, createdAt })
    .onConflictDoNothing()
    .returning();
  if (stepRow === undefined) throw new TailraceError("CONFLICT", `step ${run.step.id} exists already`);
  return toRun(runRow, [stepRow]);
}
