import type { StepClaim, StepRecord } from "@tailrace/core";
import { and, eq, isNull, lte, notInArray, or, sql, type SQL } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { isActive } from "../schema/columns.ts";
import { testRuns, testRunSteps } from "../schema/index.ts";
import { leaseClock, leaseUntil } from "./lease.ts";
import { runColumns, stepColumns } from "./rows.ts";

/** Rows that another claim holds at this moment are passed over, so that claims neither wait nor overlap. */
export async function claimSteps(db: Db, claim: StepClaim): Promise<StepRecord[]> {
  const free = db.$with("free").as(
    db
      .select({ id: testRunSteps.id })
      .from(testRunSteps)
      .where(
        and(
          isActive(testRunSteps.status),
          eq(testRunSteps.namespace, claim.namespace),
          notInArray(testRunSteps.id, [...(claim.except ?? [])]),
          or(isNull(testRunSteps.leaseExpiresAt), hasRunOut(claim.takeOverUntil)),
        ),
      )
      .orderBy(sql`${testRunSteps.leaseExpiresAt} nulls first`)
      .limit(claim.limit)
      .for("update", { skipLocked: true }),
  );
  return db
    .with(free)
    .update(testRunSteps)
    .set({
      leaseHolder: claim.holder,
      leaseExpiresAt: leaseUntil(claim.ttlMs),
      fence: sql`${testRunSteps.fence} + 1`,
    })
    .from(free)
    .innerJoin(testRuns, sql`true`)
    .where(and(eq(testRunSteps.id, free.id), eq(testRuns.id, testRunSteps.runId)))
    .returning({ ...stepColumns, ...runColumns });
}

function hasRunOut(takeOverUntil: StepClaim["takeOverUntil"]): SQL | undefined {
  if (takeOverUntil === null) return undefined;
  const over = lte(testRunSteps.leaseExpiresAt, leaseClock);
  return takeOverUntil === undefined
    ? over
    : and(over, sql`${leaseClock} <= ${takeOverUntil.toISOString()}::timestamptz`);
}
