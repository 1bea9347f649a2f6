import type { Run } from "@tailrace/core";
import { and, asc, eq } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { testRuns, testRunSteps } from "../schema/index.ts";
import { toRun } from "./rows.ts";

export async function getRun(db: Db, teamId: string, runId: string): Promise<Run | null> {
  const rows = await db
    .select({ run: testRuns, step: testRunSteps })
    .from(testRuns)
    .innerJoin(testRunSteps, eq(testRunSteps.runId, testRuns.id))
    .where(and(eq(testRuns.teamId, teamId), eq(testRuns.id, runId)))
    .orderBy(asc(testRunSteps.position));
  const [first] = rows;
  if (first === undefined) return null;
  return toRun(
    first.run,
    rows.map((row) => row.step),
  );
}
