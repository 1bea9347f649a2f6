import { and, eq, gt, lte, sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { idempotencyKeys } from "../schema/index.ts";

export async function deleteExpiredKeys(db: Db, teamId: string): Promise<void> {
  await db
    .delete(idempotencyKeys)
    .where(and(eq(idempotencyKeys.teamId, teamId), lte(idempotencyKeys.expiresAt, sql`clock_timestamp()`)));
}

export async function findIdempotencyKey(
  db: Db,
  teamId: string,
  key: string,
): Promise<{ requestHash: string; runId: string } | null> {
  const [row] = await db
    .select({ requestHash: idempotencyKeys.requestHash, runId: idempotencyKeys.runId })
    .from(idempotencyKeys)
    .where(
      and(
        eq(idempotencyKeys.teamId, teamId),
        eq(idempotencyKeys.key, key),
        gt(idempotencyKeys.expiresAt, sql`clock_timestamp()`),
      ),
    );
  return row ?? null;
}

export async function insertIdempotencyKey(
  db: Db,
  teamId: string,
  runId: string,
  use: { key: string; requestHash: string },
): Promise<void> {
  const expiresAt = sql`clock_timestamp() + interval '24 hours'`;
  await db.insert(idempotencyKeys).values({ teamId, runId, key: use.key, requestHash: use.requestHash, expiresAt });
}
