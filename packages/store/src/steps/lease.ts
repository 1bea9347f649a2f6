import { sql, type SQL } from "../drizzle.ts";

/** Leases live by the database's clock alone, so that the servers' own clocks need not agree. */
export const leaseClock: SQL = sql`clock_timestamp()`;

export function leaseUntil(ttlMs: number): SQL {
  return sql`clock_timestamp() + ${ttlMs}::float8 * interval '1 millisecond'`;
}
