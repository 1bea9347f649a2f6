import type { TestProject } from "vitest/node";
import { startTestCluster } from "../src/testing/cluster.ts";

/**
 * Starts one PostgreSQL for all tests of a run. `TAILRACE_TEST_DATABASE_URL` names another server, to test with
 * another version of it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startTestCluster(process.env["TAILRACE_TEST_DATABASE_URL"]);
  project.provide("tailraceTestCluster", { adminUrl: cluster.adminUrl, template: cluster.template });
  return () => cluster.close();
}
