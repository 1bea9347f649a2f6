import { sql } from "../drizzle.ts";
import type { Db } from "../database.ts";

/** PostgreSQL delivers it when the transaction commits, and not at all when it is rolled back. */
export const STEP_CHANNEL = "tailrace_step";

export async function announceStep(tx: Db, stepId: string): Promise<void> {
  await tx.execute(sql`select pg_notify(${STEP_CHANNEL}, ${stepId})`);
}
