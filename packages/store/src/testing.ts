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

let ownCluster: Promise<TestCluster> | undefined;

/**
 * A database of its own for one test, cloned from a migrated one; it is dropped at the end, whoever is connected.
 *
 * The server is that of the global set-up; without one each worker starts an embedded PostgreSQL, which ends with it.
 *
 * @param options.empty - true for one without any table (Default: false)
 */
export async function testDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { adminUrl, template } = inject("tailraceTestCluster") ?? (await (ownCluster ??= startTestCluster()));
  const name = `tailrace_test_${randomBytes(8).toString("hex")}`;
  await administer(adminUrl, `create database ${name} template ${options.empty === true ? "template0" : template}`);
  let dropped: Promise<void> | undefined;
  return {
    url: withDatabase(adminUrl, name),
    [Symbol.asyncDispose]: () => (dropped ??= administer(adminUrl, `drop database if exists ${name} with (force)`)),
  };
}
