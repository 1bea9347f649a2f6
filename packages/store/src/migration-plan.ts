/** One entry of `drizzle/meta/_journal.json`. */
export interface JournalEntry {
  tag: string;
  /** What the database remembers of it (as `created_at`): its making, in milliseconds since 1970. */
  when: number;
}

/**
 * Compares what the database says was applied with what this build knows.
 *
 * drizzle applies the entries that are newer than the newest applied one and never looks at others
 * (`PgDialect.migrate`), so what it would skip silently is refused here.
 *
 * @param applied - `created_at` of every row of drizzle's table
 * @returns why the database can't be migrated by this build, or null
 */
export function refuseMigration(applied: readonly number[], journal: readonly JournalEntry[]): string | null {
  const known = new Set(journal.map((entry) => entry.when));
  const unknown = applied.filter((when) => !known.has(when)).toSorted((a, b) => a - b);
  const newest = journal.at(-1);
  if (unknown.length > 0)
    return (
      `the database is newer than this build: it has ${unknown.length === 1 ? "a migration" : `${unknown.length} migrations`} ` +
      `that this build does not know (${unknown.map(isoTime).join(", ")}); this build knows up to ` +
      `${newest === undefined ? "none" : `${newest.tag} (${isoTime(newest.when)})`}. ` +
      "Start the version that made it, or a later one."
    );
  const newestApplied = Math.max(0, ...applied);
  const skipped = journal.filter((entry) => entry.when < newestApplied && !applied.includes(entry.when));
  if (skipped.length > 0)
    return (
      `the database lacks ${skipped.map((entry) => entry.tag).join(", ")}, although a later migration was applied; ` +
      "it was migrated by a build that did not have it."
    );
  return null;
}

function isoTime(when: number): string {
  return new Date(when).toISOString();
}

/** The oldest server that is tested; `server_version_num` counts 10,000 a major version. */
const OLDEST_MAJOR = 15;

/** @returns why this server can't be used, or null */
export function refuseServer(serverVersionNum: number, serverVersion: string): string | null {
  if (Math.floor(serverVersionNum / 10_000) >= OLDEST_MAJOR) return null;
  return `PostgreSQL ${serverVersion} is too old: Tailrace needs PostgreSQL ${OLDEST_MAJOR} or later`;
}
