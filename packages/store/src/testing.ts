import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { administer, startTestCluster, withDatabase, type TestCluster } from "./testing/cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Given by `packages/store/test/global-setup.ts`. */
    tailraceTestCluster: TestCluster;
  }
}

export interface TestDatabase extends AsyncDisposable {
  url: string;
}

/**
 * A database of its own for one test, cloned from a migrated one; it is dropped at the end, whoever is connected.
 *
 * The server is that of the global set-up. Without one an embedded PostgreSQL runs as long as any of its databases is
 * in use, which costs a second each time.
 *
 * @param options.empty - true for one without any table (Default: false)
 */
export async function testDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const given = inject("tailraceTestCluster") as TestCluster | undefined;
  const { adminUrl, template } = given ?? (await useOwnCluster());
  const name = `tailrace_test_${randomBytes(8).toString("hex")}`;
  await administer(adminUrl, `create database ${name} template ${options.empty === true ? "template0" : template}`);
  const drop = async (): Promise<void> => {
    await administer(adminUrl, `drop database if exists ${name} with (force)`);
    if (given === undefined) await leaveOwnCluster();
  };
  let dropped: Promise<void> | undefined;
  return { url: withDatabase(adminUrl, name), [Symbol.asyncDispose]: () => (dropped ??= drop()) };
}

let own: ReturnType<typeof startTestCluster> | undefined;
let users = 0;

function useOwnCluster(): Promise<TestCluster> {
  users++;
  return (own ??= startTestCluster());
}

async function leaveOwnCluster(): Promise<void> {
  users--;
  if (users > 0 || own === undefined) return;
  const last = own;
  own = undefined;
  await (await last).close();
}
