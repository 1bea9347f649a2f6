import type { Run } from "@tailrace/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFinalizedNamespace } from "./support/namespace.ts";
import { ended, startRun, untilRun } from "../support/runs.ts";
import { spawnServer, temporaryFolder, type ServerProcess } from "../support/server.ts";
import { until } from "../support/until.ts";
import { openAccount } from "./support/account.ts";
import { openRestartableDatabase, type RestartableDatabase } from "./support/database.ts";
import { keptBytes, readKubeletLogSettings } from "./support/kubelet-settings.ts";
import { kubectl, shell } from "./support/kubectl.ts";
import { readNumberedLog, summaryOf, type NumberedLog } from "./support/numbered-log.ts";
import { numberedScript } from "./support/numbered-script.ts";
import { readSeals } from "./support/seals.ts";

/** Of each runner, as fast as k6 can; without it they are few, and spread so that there is time for the faults. */
const asked = process.env["TAILRACE_TEST_LINES"];
const LINES = Number(asked ?? 20_000);
/** 40 pauses are 40 s. */
const PAUSE = asked === undefined ? 1 : 0;
const RUNNERS = 10;

/** What a line takes in a log file, at most. */
const ENTRY_BYTES = 200;

/** A shell command that restarts the API server of a cluster made for tests; without it nothing happens to that. */
const restartApi = process.env["TAILRACE_TEST_RESTART_API"];

describe.each(["kubelet", "off"] as const)("lines with TAILRACE_NODE_LOGS=%s", { timeout: 600_000 }, (nodeLogs) => {
  let namespace: string;
  let database: RestartableDatabase;
  let server: ServerProcess;
  let env: Record<string, string>;
  const parts = new AsyncDisposableStack();

  beforeAll(async () => {
    namespace = parts.use(await openFinalizedNamespace("tailrace-lines")).name;
    const account = parts.use(await openAccount(namespace, { nodeLogs: nodeLogs === "kubelet" }));
    database = parts.use(await openRestartableDatabase());
    const folder = parts.use(await temporaryFolder());
    env = {
      KUBECONFIG: account.kubeconfig,
      DATABASE_URL: database.url,
      TAILRACE_NAMESPACE: namespace,
      TAILRACE_AUTH: "none",
      TAILRACE_DATA_DIR: folder.path,
      TAILRACE_NODE_LOGS: nodeLogs,
    };
    server = await spawnServer("start", env);
  }, 120_000);

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await parts.disposeAsync();
  }, 120_000);

  /** How many lines of the runners are stored; null while that can't be asked. */
  async function countStored(run: Run): Promise<number | null> {
    const answer = server.client.logs.streams.query({ teamId: "demo", runId: run.id });
    const { items } = (await answer.catch(() => null)) ?? { items: null };
    return items?.filter(({ role }) => role === "runner").reduce((sum, { lines }) => sum + lines, 0) ?? null;
  }

  async function untilMore(run: Run): Promise<void> {
    const before = (await until("the stored lines", async () => [await countStored(run)])).at(0) ?? 0;
    await until("more lines", async () => ((await countStored(run)) ?? 0) > before);
  }

  /** @returns the log, which is right in all that nobody but us could have spoilt */
  async function readEnded(run: Run): Promise<NumberedLog> {
    const last = await untilRun(() => server.client, run, "the end", ended, 500_000);
    expect(last).toMatchObject({ status: "finished", error: null });
    const log = await readNumberedLog(server.url, run.id, LINES);
    const kubelet = await readKubeletLogSettings();
    process.stdout.write(`${nodeLogs}, containerLogMaxSize ${kubelet.containerLogMaxSize}: ${summaryOf(log)}\n`);
    expect(log.damaged.slice(0, 3)).toEqual([]);
    expect(log).toMatchObject({
      streams: RUNNERS,
      unflagged: 0,
      doubled: 0,
      reordered: 0,
      untrueGaps: [],
    });
    expect(log.truncated).toEqual([]);
    expect(log.lines - log.rests + log.lost).toBe(RUNNERS * LINES);
    // What the kubelet has not removed is read, however long the server was away.
    if (nodeLogs === "kubelet" && keptBytes(kubelet) >= LINES * ENTRY_BYTES)
      expect(log).toMatchObject({ lost: 0, gaps: [] });
    for (const { reason } of log.gaps) expect(["rotated", "late_start"]).toContain(reason);
    return log;
  }

  test("are stored once where API server, server and PostgreSQL are restarted meanwhile", async () => {
    const run = await startRun(server.client, numberedScript({ runners: RUNNERS, lines: LINES, pause: PAUSE }));
    await untilMore(run);
    if (restartApi !== undefined) {
      await shell(restartApi);
      await untilMore(run);
    }
    await server.sigkill();
    server = await spawnServer("start", env);
    await untilMore(run);
    await database.restart();
    const lastFault = Date.now();
    const { lastAt, gaps } = await readEnded(run);
    expect(Math.max(...lastAt)).toBeGreaterThan(lastFault);

    const seals = await readSeals(server, run.id);
    expect(seals.map(({ role }) => role)).toEqual(["initializer", "starter", ...Array<string>(RUNNERS).fill("runner")]);
    for (const { pod, counted, said, source, verified, truncated } of seals) {
      expect({ pod, ...said }).toEqual({ pod, ...counted });
      expect({ source, truncated }).toEqual({ source: nodeLogs === "kubelet" ? "node" : "api", truncated: null });
      if (verified !== null) expect(["full", "suffix"]).toContain(verified);
      // A log that was rotated behind its last line has nothing left to read a second time.
      else expect(await kubectl("logs", pod, "--namespace", namespace)).toBe("");
    }
    const others = seals.filter(({ role }) => role !== "runner");
    expect(others.flatMap(({ marks }) => marks)).toEqual([]);
    expect(seals.reduce((sum, seal) => sum + seal.gaps, 0)).toBe(gaps.length);
  });
});
