import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openDatabase } from "../support/database.ts";
import { openNamespace } from "../support/cluster.ts";
import { spawnServer } from "../support/server.ts";

const SCRIPT = fileURLToPath(new URL("../../test-container-logs.js", import.meta.url));

test("test-container-logs.js passes against a server on the cluster of the kubeconfig", async () => {
  await using namespace = await openNamespace("tailrace-script");
  await using database = await openDatabase();
  await using server = await spawnServer("start", {
    KUBECONFIG: process.env["KUBECONFIG"] ?? "",
    DATABASE_URL: database.url,
    TAILRACE_NAMESPACE: namespace.name,
    TAILRACE_AUTH: "none",
  });
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT], {
    env: { PATH: process.env["PATH"], TAILRACE_URL: server.url },
  });
  expect(stdout).toMatch(/All \d+ checks passed\./);
});
