import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { drizzle, migrate as applyMigrations } from "./drizzle.ts";
import type pg from "pg";
import { CONNECTION_TIMEOUT_MS } from "./database.ts";
import { connect, DatabaseError, makeClient } from "./database-error.ts";
import { refuseMigration, refuseServer, type JournalEntry } from "./migration-plan.ts";

const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../../drizzle", import.meta.url));

/** Any number that nothing else in the same database uses: "tailrace" as hexadecimal ASCII, which fits a bigint. */
const ADVISORY_LOCK = "0x7461696c72616365";

/** How long others are waited for that migrate, or use what a migration changes. */
const LOCK_TIMEOUT_MS = 300_000;

/**
 * Brings the database to this build's schema. Any number of processes may call it at once: drizzle's own `migrate`
 * takes no lock, so an advisory lock is held by the one connection that also migrates; the last ones find nothing to do.
 *
 * @param options.migrationsFolder - (Default: the project's `drizzle/`)
 * @throws DatabaseError `invalid_url`, `unreachable`, `server_too_old`, `database_newer`, `migration_failed`
 */
export async function migrate(databaseUrl: string, options: { migrationsFolder?: string } = {}): Promise<void> {
  const migrationsFolder = options.migrationsFolder ?? MIGRATIONS_FOLDER;
  const journal = await readJournal(migrationsFolder);
  const client = makeClient(databaseUrl, {
    application_name: "tailrace migration",
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    keepAlive: true,
  });
  // The query that runs when the connection is lost fails too, and is reported below.
  client.on("error", () => undefined);
  try {
    await connect(client);
    await requireServer(client);
    await migrateLocked(client, journal, migrationsFolder);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function migrateLocked(client: pg.Client, journal: readonly JournalEntry[], folder: string): Promise<void> {
  try {
    await client.query(`select pg_advisory_lock(${BigInt(ADVISORY_LOCK)})`);
    const refusal = refuseMigration(await readApplied(client), journal);
    if (refusal !== null) throw new DatabaseError("database_newer", refusal);
    await applyMigrations(drizzle(client), { migrationsFolder: folder });
    await client.query(`select pg_advisory_unlock(${BigInt(ADVISORY_LOCK)})`);
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    const message = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new DatabaseError("migration_failed", `the database could not be migrated: ${message}`, { cause: error });
  }
}

async function requireServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ num: number; name: string }>(
    "select current_setting('server_version_num')::int as num, current_setting('server_version') as name",
  );
  const [server] = rows;
  const refusal = server === undefined ? "the server does not tell its version" : refuseServer(server.num, server.name);
  if (refusal !== null) throw new DatabaseError("server_too_old", refusal);
}

async function readApplied(client: pg.Client): Promise<number[]> {
  const table = await client.query<{ found: boolean }>(
    "select to_regclass('drizzle.__drizzle_migrations') is not null as found",
  );
  if (table.rows[0]?.found !== true) return [];
  const { rows } = await client.query<{ when: string }>(
    `select created_at as "when" from drizzle.__drizzle_migrations order by created_at`,
  );
  return rows.map((row) => Number(row.when));
}

async function readJournal(folder: string): Promise<JournalEntry[]> {
  const text = await readFile(join(folder, "meta", "_journal.json"), "utf8");
  return (JSON.parse(text) as { entries: JournalEntry[] }).entries;
}
