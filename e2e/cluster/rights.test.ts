import { expect, test } from "vitest";
import { SCRIPTS } from "../contract/scripts.ts";
import { openDatabase } from "../support/database.ts";
import { openFinalizedNamespace } from "./support/namespace.ts";
import { ended, startRun, untilRun } from "../support/runs.ts";
import { spawnServer } from "../support/server.ts";
import { openAccount } from "./support/account.ts";
import { readSeals } from "./support/seals.ts";

/** What the server says at its start by what it may, and where it reads logs from. */
const CASES = [
  { nodeLogs: true, says: "(nodes/log is granted)", source: "node" },
  { nodeLogs: false, says: "the nodes' files, which are far faster to read, are not granted", source: "api" },
] as const;

test.each(CASES)(
  "a server with the rights of deploy/rbac.yaml, nodes/log among them: $nodeLogs",
  async ({ nodeLogs, says, source }) => {
    await using namespace = await openFinalizedNamespace("tailrace-rights");
    await using account = await openAccount(namespace.name, { nodeLogs });
    await using database = await openDatabase();
    await using server = await spawnServer("start", {
      KUBECONFIG: account.kubeconfig,
      DATABASE_URL: database.url,
      TAILRACE_NAMESPACE: namespace.name,
      TAILRACE_AUTH: "none",
      TAILRACE_CLEANUP_AFTER: "0s",
    });
    await expect.poll(() => server.output(), { timeout: 20_000 }).toContain(says);
    if (!nodeLogs)
      expect(server.output()).toContain(
        `a ClusterRole with the rule {apiGroups: [\\"\\"], resources: [\\"nodes/log\\"], verbs: [\\"get\\"]} grants it`,
      );

    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    expect(await untilRun(() => server.client, run, "the end", ended)).toMatchObject({
      status: "finished",
      error: null,
    });
    const seals = await readSeals(server, run.id);
    expect(seals.map(({ role }) => role)).toEqual(["initializer", "starter", "runner", "runner"]);
    for (const seal of seals) {
      expect(seal).toMatchObject({ source, verified: "full", truncated: null, gaps: 0 });
      expect(seal.said).toEqual(seal.counted);
    }

    const stopped = await startRun(server.client, { script: SCRIPTS.long });
    await untilRun(
      () => server.client,
      stopped,
      "stage started",
      (it) => it.steps[0]?.stage === "started",
    );
    await server.client.runs.stop.mutate({ teamId: "demo", runId: stopped.id });
    expect(await untilRun(() => server.client, stopped, "the end", ended)).toMatchObject({
      status: "finished",
      error: null,
    });

    // A TestRun goes when its run has ended, as a setting has it here, and its ConfigMap with it.
    await expect
      .poll(async () => (await namespace.core.listNamespacedConfigMap({ namespace: namespace.name })).items.length, {
        timeout: 60_000,
      })
      .toBe(1);
    expect(server.output()).not.toMatch(/forbidden/i);
  },
);
