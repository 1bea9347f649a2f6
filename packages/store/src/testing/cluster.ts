import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startEmbeddedPostgres } from "../embedded/start.ts";
import { migrate } from "../migrate.ts";

/** A PostgreSQL for tests with one migrated database that others are cloned from. Plain data, so that it can be given to workers. */
export interface TestCluster {
  adminUrl: string;
  template: string;
}

declare module "vitest" {
  interface ProvidedContext {
    /** Given by `packages/store/test/global-setup.ts`. */
    tailraceTestCluster: TestCluster;
  }
}

/**
 * @param externalUrl - a server to use in the place of an embedded one, as a user who may make databases
 */
export async function startTestCluster(externalUrl?: string): Promise<TestCluster & { close(): Promise<void> }> {
  const template = `tailrace_template_${randomBytes(6).toString("hex")}`;
  const server = externalUrl === undefined ? await startTemporaryServer() : { url: externalUrl, close: async () => {} };
  const close = async (): Promise<void> => {
    if (externalUrl !== undefined) await administer(externalUrl, `drop database if exists ${template} with (force)`);
    await server.close();
  };
  try {
    await administer(server.url, `create database ${template}`);
    await migrate(withDatabase(server.url, template));
    return { adminUrl: server.url, template, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function administer(adminUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  // DROP DATABASE … WITH (FORCE) and a server's end are part of tests.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function startTemporaryServer(): Promise<{ url: string; close(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), "tailrace-test-"));
  const log = { info: () => undefined, warn: (_: object, message: string) => process.emitWarning(message) };
  // mkdtemp gives a directory for this user alone; as root, PostgreSQL runs as another one.
  if (process.geteuid?.() === 0) await chmod(dataDir, 0o711);
  const server = await startEmbeddedPostgres({ dataDir, log, durable: false });
  const close = async (): Promise<void> => {
    await server.close();
    await rm(server.directory, { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url: server.url, close };
}
