import type { Page, PageRequest } from "@tailrace/core";
import { and, desc, eq, lt } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { decodeCursor, toPage } from "../page.ts";
import { scenarios } from "../schema/index.ts";
import { summaryColumns, toSummary, type ScenarioSummary } from "./rows.ts";

const LIST = "scenarios";

/** Newest first. */
export async function listScenarios(db: Db, teamId: string, page: PageRequest): Promise<Page<ScenarioSummary>> {
  const before = page.cursor === undefined ? undefined : lt(scenarios.seq, decodeCursor(LIST, page.cursor));
  const rows = await db
    .select(summaryColumns)
    .from(scenarios)
    .where(and(eq(scenarios.teamId, teamId), before))
    .orderBy(desc(scenarios.seq))
    .limit(page.limit + 1);
  return toPage(LIST, rows, page.limit, toSummary);
}
