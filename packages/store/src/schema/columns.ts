import { ID_PATTERN } from "@tailrace/core";
import type { RunStatus } from "@tailrace/core";
import { type AnyColumn, bigint, customType, sql, type SQL, timestamp } from "../drizzle.ts";

/** A time with milliseconds, what `Date` and the API's ISO strings hold, so that a stored time reads back equal. */
export function time(name: string) {
  return timestamp(name, { withTimezone: true, precision: 3 });
}

/** The order in which rows were made. Lists are sorted by it and not by a time, which two rows may share. */
export function sequence() {
  return bigint("seq", { mode: "bigint" }).generatedAlwaysAsIdentity();
}

export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => "bytea",
});

/** The database's own form of {@link ID_PATTERN}. */
export function isId(column: AnyColumn): SQL {
  return sql`${column} ~ ${literal(ID_PATTERN.source)}`;
}

/** `column` is one of `values`; NULL passes, as it does in every CHECK. */
export function isOneOf(column: AnyColumn, values: readonly string[]): SQL {
  return sql`${column} in (${sql.join(values.map(literal), sql`, `)})`;
}

export const RUN_STATUSES = [
  "pending",
  "running",
  "stopping",
  "finished",
  "error",
] as const satisfies readonly RunStatus[];

/** True for runs and steps that have not ended; the predicate of the partial indexes. */
export function isActive(status: AnyColumn): SQL {
  return isOneOf(status, ["pending", "running", "stopping"]);
}

function literal(value: string): SQL {
  return sql.raw(`'${value.replaceAll("'", "''")}'`);
}
