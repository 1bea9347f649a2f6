import { and, asc, eq, inArray, sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { isActive } from "../schema/columns.ts";
import { testRuns, testRunSteps } from "../schema/index.ts";
import { leaseUntil } from "./lease.ts";

export interface HeldLease {
  id: string;
  fence: number;
  stopRequestedAt: Date | null;
}

/** A lease that has run out is the holder's until somebody else takes it: then the step names another holder. */
export async function renewLeases(
  db: Db,
  claim: { holder: string; ids: readonly string[]; ttlMs: number },
): Promise<HeldLease[]> {
  const held = db.$with("held").as(
    db
      .select({ id: testRunSteps.id })
      .from(testRunSteps)
      .where(
        and(
          isActive(testRunSteps.status),
          inArray(testRunSteps.id, [...claim.ids]),
          eq(testRunSteps.leaseHolder, claim.holder),
        ),
      )
      .orderBy(asc(testRunSteps.id))
      .for("update"),
  );
  return db
    .with(held)
    .update(testRunSteps)
    .set({ leaseExpiresAt: leaseUntil(claim.ttlMs) })
    .from(held)
    .innerJoin(testRuns, sql`true`)
    .where(and(eq(testRunSteps.id, held.id), eq(testRuns.id, testRunSteps.runId)))
    .returning({ id: testRunSteps.id, fence: testRunSteps.fence, stopRequestedAt: testRuns.stopRequestedAt });
}
