import type { Run } from "@tailrace/client";
import type { Database } from "./database.ts";
import { until } from "./until.ts";

/** How many lines of each runner of a run are stored, in the order in which their streams began. */
export async function storedLines(database: Database, { id }: Run): Promise<number[]> {
  const rows = await database.query<{ seq: number }>(
    "select next_seq::int as seq from log_streams where run_id = $1 and role = 'runner' order by ordinal",
    [id],
  );
  return rows.map(({ seq }) => seq);
}

/** The fencing number of each step of a run. */
export async function fencesOf(database: Database, { id }: Run): Promise<string[]> {
  const rows = await database.query<{ fence: string }>(
    "select fence from test_run_steps where run_id = $1 order by id",
    [id],
  );
  return rows.map(({ fence }) => fence);
}

/** Waits until so many lines of each of two runners are stored. */
export async function untilStored(database: Database, run: Run, lines: number): Promise<void> {
  await until(`${lines} stored lines of both runners`, async () => {
    const stored = await storedLines(database, run);
    return stored.length === 2 && stored.every((seq) => seq >= lines);
  });
}
