import type pg from "pg";
import { inTransaction, type Queryable } from "../../database.ts";
import { addDays, checkDay, listPartitions, partitionName, PARTITIONED_TABLES, PARTITIONS_LOCK } from "./partitions.ts";

const LOCK_TIMEOUT = "5s";

/**
 * The small chunks of a followed stream are replaced by large ones soon after they were written. PostgreSQL's default would
 * let the room that they leave grow to a fifth of the table before others may use it.
 */
const VACUUM_EARLY = `
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
  toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_threshold = 5000`;

/**
 * Makes the partitions of a day and of the next. CREATE TABLE … PARTITION OF would lock the whole table against the
 * commits under way; ATTACH PARTITION does not.
 */
export async function prepareDay(pool: pg.Pool, day: string): Promise<void> {
  if ((await listMissing(pool, day)).length === 0) return;
  await inTransaction(pool, async (client) => {
    await client.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
    await client.query("select pg_advisory_xact_lock($1)", [PARTITIONS_LOCK]);
    for (const { table, day: missing } of await listMissing(client, day)) await makePartition(client, table, missing);
  });
}

async function listMissing(client: Queryable, day: string): Promise<{ table: string; day: string }[]> {
  const there = new Set((await listPartitions(client)).map(({ name }) => name));
  return PARTITIONED_TABLES.flatMap((table) =>
    [checkDay(day), addDays(day, 1)].map((each) => ({ table, day: each })),
  ).filter((wanted) => !there.has(partitionName(wanted.table, wanted.day)));
}

async function makePartition(client: Queryable, table: string, day: string): Promise<void> {
  const name = partitionName(table, day);
  // No CHECK is needed to spare ATTACH its scan: the table is empty.
  await client.query(`create table ${name} (like ${table} including all) with (${VACUUM_EARLY})`);
  await client.query(
    `alter table ${table} attach partition ${name} for values from ('${day}') to ('${addDays(day, 1)}')`,
  );
}
