import { sql } from "../drizzle.ts";
import type { Db } from "../database.ts";
import { leaseClock } from "./lease.ts";

export async function readClock(db: Db): Promise<Date> {
  const { rows } = await db.execute<{ ms: number }>(sql`select extract(epoch from ${leaseClock})::float8 * 1000 as ms`);
  return new Date(rows[0]!.ms);
}
