import type { Queryable } from "../../database.ts";

/** The tables that have a partition for each day. */
export const PARTITIONED_TABLES = ["log_chunks", "log_gaps"] as const;

/** Held by whoever makes or drops partitions: "tailrpar" as hexadecimal ASCII, which fits a bigint. */
export const PARTITIONS_LOCK = 0x7461696c72706172n;

const DAY_MS = 86_400_000;

/** What names a day may be written into a statement. @throws RangeError for anything but a date as `YYYY-MM-DD` */
export function checkDay(day: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || !isoDay(Date.parse(`${day}T00:00:00Z`)).startsWith(day))
    throw new RangeError("a day must be a date as YYYY-MM-DD");
  return day;
}

/** @param days - how many days later; negative for earlier */
export function addDays(day: string, days: number): string {
  return isoDay(Date.parse(`${checkDay(day)}T00:00:00Z`) + days * DAY_MS);
}

export function partitionName(table: string, day: string): string {
  return `${table}_${checkDay(day).replaceAll("-", "")}`;
}

export interface Partition {
  table: string;
  name: string;
  day: string;
  /** `pending`: a DETACH … CONCURRENTLY was interrupted. */
  state: "attached" | "pending" | "detached";
}

export async function listPartitions(client: Queryable): Promise<Partition[]> {
  const { rows } = await client.query<Partition>(
    `select parent.name as table, c.relname as name,
       to_char(to_date(right(c.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') as day,
       case when i.inhrelid is null then 'detached' when i.inhdetachpending then 'pending' else 'attached' end as state
     from unnest($1::text[]) as parent(name)
     join pg_class p on p.oid = parent.name::regclass
     join pg_class c on c.relnamespace = p.relnamespace and c.relkind = 'r'
       and c.relname ~ ('^' || parent.name || '_[0-9]{8}$')
     left join pg_inherits i on i.inhrelid = c.oid
     order by day, parent.name`,
    [PARTITIONED_TABLES],
  );
  return rows;
}

/** Empty for what is no time, so that it begins with no date. */
function isoDay(ms: number): string {
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString().slice(0, 10);
}
