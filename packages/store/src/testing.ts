import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { administer, withDatabase } from "./testing/cluster.ts";

export interface TestDatabase extends AsyncDisposable {
  url: string;
}

/**
 * A database of its own for one test, cloned from a migrated one; it is dropped at the end, whoever is connected.
 * Needs `packages/store/test/global-setup.ts` among vitest's `globalSetup`, which starts the server.
 *
 * @param options.empty - true for one without any table (Default: false)
 */
export async function testDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { adminUrl, template } = inject("tailraceTestCluster");
  const name = `tailrace_test_${randomBytes(8).toString("hex")}`;
  await administer(adminUrl, `create database ${name} template ${options.empty === true ? "template0" : template}`);
  let dropped: Promise<void> | undefined;
  return {
    url: withDatabase(adminUrl, name),
    [Symbol.asyncDispose]: () => (dropped ??= administer(adminUrl, `drop database if exists ${name} with (force)`)),
  };
}
