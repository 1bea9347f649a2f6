import { asc, eq } from "drizzle-orm";
import type { Db } from "../database.ts";
import { testRunSteps } from "../schema/index.ts";

export async function releaseLeases(db: Db, holder: string): Promise<void> {
  const held = db
    .$with("held")
    .as(
      db
        .select({ id: testRunSteps.id })
        .from(testRunSteps)
        .where(eq(testRunSteps.leaseHolder, holder))
        .orderBy(asc(testRunSteps.id))
        .for("update"),
    );
  await db
    .with(held)
    .update(testRunSteps)
    .set({ leaseHolder: null, leaseExpiresAt: null })
    .from(held)
    .where(eq(testRunSteps.id, held.id));
}
