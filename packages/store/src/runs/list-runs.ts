import type { Page, PageRequest, RunStatus, RunSummary } from "@tailrace/core";
import { and, desc, eq, lt } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { decodeCursor, toPage } from "../page.ts";
import { testRuns } from "../schema/index.ts";
import { toRunSummary } from "./rows.ts";

const LIST = "runs";

export type RunPageRequest = PageRequest & { scenarioId?: string | undefined; status?: RunStatus | undefined };

/** Newest first. */
export async function listRuns(db: Db, teamId: string, page: RunPageRequest): Promise<Page<RunSummary>> {
  const rows = await db
    .select()
    .from(testRuns)
    .where(
      and(
        eq(testRuns.teamId, teamId),
        page.scenarioId === undefined ? undefined : eq(testRuns.scenarioId, page.scenarioId),
        page.status === undefined ? undefined : eq(testRuns.status, page.status),
        page.cursor === undefined ? undefined : lt(testRuns.seq, decodeCursor(LIST, page.cursor)),
      ),
    )
    .orderBy(desc(testRuns.seq))
    .limit(page.limit + 1);
  return toPage(LIST, rows, page.limit, toRunSummary);
}
