import type { Run } from "@tailrace/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestNamespace } from "../support/cluster.ts";
import { openDatabase } from "../support/database.ts";
import { ended, startRun, untilRun } from "../support/runs.ts";
import { spawnServer, type ServerProcess } from "../support/server.ts";
import { until } from "../support/until.ts";
import { openAccount } from "./support/account.ts";
import { kubectl } from "./support/kubectl.ts";
import { openFinalizedNamespace, removeFinalizers } from "./support/namespace.ts";
import { readNumberedLog } from "./support/numbered-log.ts";
import { numberedScript } from "./support/numbered-script.ts";
import { readSeals } from "./support/seals.ts";

const RUNNERS = 2;
/** More than any runner prints before it is stopped. */
const LINES = 20_000_000;

describe("an ordinary kubectl delete", () => {
  let namespace: TestNamespace;
  let server: ServerProcess;
  let env: Record<string, string>;
  const parts = new AsyncDisposableStack();

  beforeAll(async () => {
    namespace = parts.use(await openFinalizedNamespace("tailrace-deletion"));
    const account = parts.use(await openAccount(namespace.name, { nodeLogs: true }));
    env = {
      KUBECONFIG: account.kubeconfig,
      DATABASE_URL: parts.use(await openDatabase()).url,
      TAILRACE_NAMESPACE: namespace.name,
      TAILRACE_AUTH: "none",
    };
    server = await spawnServer("start", env);
  });

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await parts.disposeAsync();
  });

  /** Waits until lines of a run's runners are stored. */
  async function untilWriting(run: Run): Promise<void> {
    await until("lines of every runner", async () => {
      const { items } = await server.client.logs.streams.query({ teamId: "demo", runId: run.id });
      const runners = items.filter(({ role, lines }) => role === "runner" && lines > 0);
      return runners.length === RUNNERS;
    });
  }

  const testRun = (run: Run): string[] => [`testrun/${run.steps[0]!.name}`, "--namespace", namespace.name];

  test("of a TestRun whose runners write stops them, and it goes when their logs are read", async () => {
    const run = await startRun(server.client, numberedScript({ runners: RUNNERS, lines: LINES, pause: 0.1 }));
    await untilWriting(run);
    const deletedAt = Date.now();
    await kubectl("delete", ...testRun(run), "--timeout=90s");
    const last = await untilRun(() => server.client, run, "the end", ended);
    expect(last).toMatchObject({ status: "error", error: "the TestRun was deleted by somebody else in stage started" });

    const log = await readNumberedLog(server.url, run.id, LINES);
    expect(log).toMatchObject({ streams: RUNNERS, doubled: 0, reordered: 0, gaps: [], truncated: [] });
    for (const [index, at] of log.lastAt.entries()) {
      // They wrote until they were stopped, and nothing is missing before that.
      expect(at).toBeGreaterThan(deletedAt);
      expect(log.holes[index]).toMatchObject({ until: LINES });
    }
    expect(log.holes).toHaveLength(RUNNERS);
    for (const { role, said, counted, verified, truncated } of await readSeals(server, run.id)) {
      expect({ role, ...said }).toEqual({ role, ...counted });
      expect({ role, verified, truncated }).toEqual({
        role,
        verified: expect.stringMatching(/full|suffix/),
        truncated: null,
      });
    }
  });

  test("waits where no server is up, until the finalizer is taken off by hand", async () => {
    const run = await startRun(server.client, numberedScript({ runners: RUNNERS, lines: LINES, pause: 0.1 }));
    await untilWriting(run);
    await server.sigkill();
    await expect(kubectl("delete", ...testRun(run), "--timeout=3s")).rejects.toThrow(/timed out/);
    const { items } = await namespace.core.listNamespacedPod({
      namespace: namespace.name,
      labelSelector: `k6_cr=${run.steps[0]!.name},runner=true`,
    });
    expect(items.map(({ status }) => status?.phase)).toEqual(Array<string>(RUNNERS).fill("Running"));

    await removeFinalizers(testRun(run)[0]!, namespace.name);
    await kubectl("wait", "--for=delete", ...testRun(run), "--timeout=20s");
    await until("the end of the pods", async () => {
      const { items } = await namespace.core.listNamespacedPod({ namespace: namespace.name });
      return items.every(({ metadata }) => metadata?.labels?.["k6_cr"] !== run.steps[0]!.name);
    });

    server = await spawnServer("start", env);
    expect(await untilRun(() => server.client, run, "the end", ended)).toMatchObject({ status: "error" });
  });
});
