import type pg from "pg";
import { inTransaction } from "../../database.ts";

/** Everything that `work` reads is as of one moment: chunks that are replaced or deleted meanwhile are still there. */
export function inSnapshot<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return inTransaction(pool, work, "begin isolation level repeatable read, read only");
}
