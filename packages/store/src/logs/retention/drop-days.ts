import type pg from "pg";
import type { Queryable } from "../../database.ts";
import { checkDay, listPartitions, PARTITIONS_LOCK, type Partition } from "./partitions.ts";

/** A DETACH waits for whoever reads the table; behind one that waits, nobody else must queue for long. */
const LOCK_TIMEOUT = "2s";

/**
 * Drops the partitions of every day before. The streams are marked as expired first, so that no commit comes to a
 * partition that is going. What is interrupted is finished by the next call.
 *
 * @returns the days; none while another server does the same
 */
export async function dropDaysBefore(pool: pg.Pool, day: string): Promise<string[]> {
  checkDay(day);
  const client = await pool.connect();
  try {
    await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`);
    if (!(await tryLock(client))) return [];
    const partitions = await listPartitions(client);
    const old = partitions.filter((partition) => partition.day < day);
    if (old.length > 0) await expireDaysBefore(client, day);
    for (const partition of old) await dropPartition(client, partition);
    return [...new Set(old.map((partition) => partition.day))];
  } finally {
    // Its lock and its settings end with the session.
    client.release(true);
  }
}

async function tryLock(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [
    PARTITIONS_LOCK,
  ]);
  return rows[0]?.locked === true;
}

/** Locks the streams in the order of their ids, as commits do. */
async function expireDaysBefore(client: Queryable, day: string): Promise<void> {
  await client.query(
    `with old as (
       select id from log_streams where day < $1 and expired_at is null order by id for no key update
     ), expired as (
       update log_streams s set expired_at = clock_timestamp() from old where s.id = old.id
     ), handovers as (
       delete from log_handovers h using old where h.stream_id = old.id
     )
     delete from log_removals where day < $1`,
    [day],
  );
}

/** Statements of their own: DETACH … CONCURRENTLY is no part of a transaction. */
async function dropPartition(client: Queryable, { table, name, state }: Partition): Promise<void> {
  if (state === "pending") await client.query(`alter table ${table} detach partition ${name} finalize`);
  if (state === "attached") await client.query(`alter table ${table} detach partition ${name} concurrently`);
  await client.query(`drop table if exists ${name}`);
}
