import { asc, eq } from "../drizzle.ts";
import type { Database, Db } from "../database.ts";
import { testRunSteps } from "../schema/index.ts";
import { announceStep } from "./announce-step.ts";

export function releaseLeases(database: Database, holder: string): Promise<void> {
  return database.transaction(async (tx) => {
    for (const stepId of await clearLeases(tx, holder)) await announceStep(tx, stepId);
  });
}

async function clearLeases(tx: Db, holder: string): Promise<string[]> {
  const held = tx
    .$with("held")
    .as(
      tx
        .select({ id: testRunSteps.id })
        .from(testRunSteps)
        .where(eq(testRunSteps.leaseHolder, holder))
        .orderBy(asc(testRunSteps.id))
        .for("update"),
    );
  const rows = await tx
    .with(held)
    .update(testRunSteps)
    .set({ leaseHolder: null, leaseExpiresAt: null })
    .from(held)
    .where(eq(testRunSteps.id, held.id))
    .returning({ id: testRunSteps.id });
  return rows.map((row) => row.id);
}
