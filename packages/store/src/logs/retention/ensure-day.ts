import type pg from "pg";
import { addDays, listPartitions } from "./partitions.ts";
import { prepareDay } from "./prepare-day.ts";

/**
 * Makes a day's partitions where they are missing, for a stream that needs them. Where those of a day before yesterday are
 * missing they were dropped: they are not made again, and the day's streams are marked as expired.
 *
 * @returns false when the day's logs are gone
 */
export async function ensureDay(pool: pg.Pool, day: string): Promise<boolean> {
  if (await isPrepared(pool, day)) return true;
  if (day >= addDays(new Date().toISOString().slice(0, 10), -1)) {
    await prepareDay(pool, day);
    return true;
  }
  await expireDay(pool, day);
  return false;
}

async function isPrepared(pool: pg.Pool, day: string): Promise<boolean> {
  const partitions = await listPartitions(pool);
  return partitions.filter((partition) => partition.day === day && partition.state === "attached").length === 2;
}

/** Locks the streams in the order of their ids, as commits do. */
async function expireDay(pool: pg.Pool, day: string): Promise<void> {
  await pool.query(
    `with old as (
       select id from log_streams where day = $1 and expired_at is null order by id for no key update
     )
     update log_streams s set expired_at = clock_timestamp() from old where s.id = old.id`,
    [day],
  );
}
