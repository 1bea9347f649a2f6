import type { Page, PageRequest, Team } from "@tailrace/core";
import { desc, lt } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { decodeCursor, toPage } from "../page.ts";
import { teams } from "../schema/index.ts";
import { toTeam } from "./rows.ts";

const LIST = "teams";

/** Newest first. */
export async function listTeams(db: Db, page: PageRequest): Promise<Page<Team>> {
  const rows = await db
    .select()
    .from(teams)
    .where(page.cursor === undefined ? undefined : lt(teams.seq, decodeCursor(LIST, page.cursor)))
    .orderBy(desc(teams.seq))
    .limit(page.limit + 1);
  return toPage(LIST, rows, page.limit, toTeam);
}
