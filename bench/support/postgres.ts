import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { migrate, startEmbeddedPostgres, type EmbeddedPostgres } from "@tailrace/store";
import { Client } from "pg";
import { readPostgresSettings, type PostgresSettings } from "./machine.ts";

const LOG = { info: () => undefined, warn: (_: object, message: string) => process.emitWarning(message) };

/** A PostgreSQL 18 with the settings that the server's own has: a commit is on the disk when it is acknowledged. */
export interface BenchPostgres extends AsyncDisposable {
  readonly url: string;
  /** Of the postmaster. */
  readonly pid: number;
  /** Where its data is. */
  readonly directory: string;
  readonly settings: PostgresSettings;
  /** As its superuser, on a connection of its own. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Ends it and starts it again; url and pid are other ones then. */
  restart(between?: () => Promise<void>): Promise<void>;
}

async function queryOnce<Row extends object>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** @param folder - of the bench; it goes last */
export async function openPostgres(folder: string, signal: AbortSignal): Promise<BenchPostgres> {
  const dataDir = join(folder, "postgres");
  await mkdir(dataDir);
  const start = (): Promise<EmbeddedPostgres> => startEmbeddedPostgres({ dataDir, log: LOG, signal, durable: true });
  let server = await start();
  try {
    await migrate(server.url);
    const settings = await readPostgresSettings(server.url);
    return {
      get url() {
        return server.url;
      },
      get pid() {
        return server.pid;
      },
      get directory() {
        return server.directory;
      },
      settings,
      query: (sql, values) => queryOnce(server.url, sql, values),
      async restart(between = async () => undefined) {
        await server.close();
        await between();
        server = await start();
      },
      async [Symbol.asyncDispose]() {
        await server.close();
        await rm(server.directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await server.close();
    await rm(server.directory, { recursive: true, force: true });
    throw error;
  }
}
