import type { RunProgress } from "@tailrace/core";
import { and, asc, eq, sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { testRuns, testRunSteps } from "../schema/index.ts";
import { toRunSummary } from "./rows.ts";

export async function getRunProgress(db: Db, teamId: string, runId: string): Promise<RunProgress | null> {
  const rows = await db
    .select({
      run: testRuns,
      step: {
        name: sql<string>`${testRunSteps.config} ->> 'name'`,
        stage: testRunSteps.stage,
        status: testRunSteps.status,
        error: testRunSteps.error,
      },
    })
    .from(testRuns)
    .innerJoin(testRunSteps, eq(testRunSteps.runId, testRuns.id))
    .where(and(eq(testRuns.teamId, teamId), eq(testRuns.id, runId)))
    .orderBy(asc(testRunSteps.position));
  const [first] = rows;
  if (first === undefined) return null;
  return { ...toRunSummary(first.run), steps: rows.map(({ step }) => step) };
}
