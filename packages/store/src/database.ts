import { drizzle, type NodePgQueryResultHKT, type PgDatabase } from "./drizzle.ts";
import pg from "pg";
import type { StoreLog } from "./log.ts";

/** What a statement runs on: the pool, or the one connection of a transaction. */
export type Db = PgDatabase<NodePgQueryResultHKT>;

/** What a written-out statement runs on. */
export type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

export interface Database {
  db: Db;
  /** The same connections, for statements that are written out. */
  pool: pg.Pool;
  /** Runs `work` in one transaction on one connection; everything in it must use the `tx` it is given. */
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  databaseUrl: string;
  log: StoreLog;
  /** Connections at most, without the one that listens and those that read logs. (Default: 10) */
  poolSize?: number | undefined;
  /** After this the server ends a statement, in milliseconds. (Default: 30,000) */
  statementTimeoutMs?: number | undefined;
}

export const CONNECTION_TIMEOUT_MS = 10_000;
const DEFAULT_POOL_SIZE = 10;
const DEFAULT_STATEMENT_TIMEOUT_MS = 30_000;
/** How much longer than the server's own limit a silent connection is waited for. */
const SILENCE_MS = 10_000;

/** @param applicationName - how its connections are called in `pg_stat_activity` (Default: tailrace) */
export function openDatabase(options: DatabaseOptions, applicationName = "tailrace"): Database {
  const statementTimeoutMs = options.statementTimeoutMs ?? DEFAULT_STATEMENT_TIMEOUT_MS;
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    application_name: applicationName,
    max: options.poolSize ?? DEFAULT_POOL_SIZE,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + SILENCE_MS,
    idle_in_transaction_session_timeout: statementTimeoutMs + SILENCE_MS,
    keepAlive: true,
  });
  // Not the error itself: pg-pool hangs the whole client on it.
  pool.on("error", (error) => options.log.warn({ reason: error.message }, "an idle database connection was lost"));
  // A client that is in use but between two queries reports the loss of its connection by itself, not through the
  // pool; nobody listening would end the process. What the caller does next on it fails, and is reported there.
  pool.on("connect", (client) => client.on("error", () => undefined));

  let closing: Promise<void> | undefined;
  return {
    db: drizzle(pool),
    pool,
    transaction: (work) => inTransaction(pool, (client) => work(drizzle(client))),
    close: () => (closing ??= pool.end()),
  };
}

/**
 * Unlike drizzle's own it gives the connection back when BEGIN fails, and throws it away when ROLLBACK does.
 *
 * @param begin - the statement that begins the transaction
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  begin = "begin",
): Promise<T> {
  const client = await pool.connect();
  let usable = false;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query("commit");
    usable = true;
    return result;
  } catch (error) {
    usable = await client.query("rollback").then(
      () => true,
      () => false,
    );
    throw error;
  } finally {
    client.release(!usable);
  }
}
