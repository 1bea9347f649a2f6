import type { Run } from "@tailrace/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { openDatabase, type Database } from "./support/database.ts";
import { checkNumbered, numberedRunners } from "./support/numbered.ts";
import { atStage, ended, startRun, untilRun } from "./support/runs.ts";
import { openSandbox, type TestSandbox } from "./support/sandbox.ts";
import { spawnServer, temporaryFolder, type ServerProcess } from "./support/server.ts";

const LINES = 20_000;
const WHOLE = { lines: 2 * LINES, lost: 0, unflagged: 0, doubled: 0, reordered: 0, gaps: [], truncated: [] };

/** The same from the nodes' own files and from `pods/log`. */
describe.each(["auto", "off"] as const)("a run's logs with TAILRACE_NODE_LOGS=%s", { timeout: 120_000 }, (nodeLogs) => {
  let there: TestSandbox;
  let database: Database;
  let server: ServerProcess;
  let env: Record<string, string>;
  const parts = new AsyncDisposableStack();

  beforeAll(async () => {
    const program = numberedRunners({ lines: LINES, batch: 100, everyMs: 20 });
    there = parts.use(await openSandbox({ mode: "replay", programs: [program] }));
    database = parts.use(await openDatabase());
    const folder = parts.use(await temporaryFolder());
    env = {
      ...there.env,
      DATABASE_URL: database.url,
      TAILRACE_AUTH: "none",
      TAILRACE_DATA_DIR: folder.path,
      TAILRACE_NODE_LOGS: nodeLogs,
      TAILRACE_LEASE: "3s",
    };
    server = await spawnServer("start", env);
  }, 60_000);

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await parts.disposeAsync();
  }, 60_000);

  const start = (): Promise<Run> => startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
  const end = (run: Run): Promise<Run> => untilRun(() => server.client, run, "the end", ended, 90_000);

  test("are whole, sealed and verified", async () => {
    const run = await end(await start());
    expect(run).toMatchObject({ status: "finished", error: null });
    expect(await checkNumbered(server.url, run.id, LINES)).toMatchObject({ streams: 2, ...WHOLE });
    const { items } = await server.client.logs.streams.query({ teamId: "demo", runId: run.id });
    expect(items.map(({ role }) => role)).toEqual(["initializer", "starter", "runner", "runner"]);
    for (const stream of items)
      expect(stream).toMatchObject({ sealed: true, verified: "full", source: nodeLogs === "auto" ? "node" : "api" });
  });

  test("are whole when the server is killed twice in the middle", async () => {
    const run = await start();
    for (const stage of ["started", "started"]) {
      await untilRun(() => server.client, run, `stage ${stage}`, atStage(stage));
      await server.sigkill();
      server = await spawnServer("start", env);
    }
    expect(await end(run)).toMatchObject({ status: "finished", error: null });
    expect(await checkNumbered(server.url, run.id, LINES)).toMatchObject({ streams: 2, ...WHOLE });
  });

  test("are whole when connections to the cluster are cut again and again", async () => {
    const run = await start();
    await untilRun(() => server.client, run, "stage started", atStage("started"));
    const cutting = setInterval(() => there.sandbox.faults.cutConnections(), 150);
    try {
      expect(await end(run)).toMatchObject({ status: "finished", error: null });
    } finally {
      clearInterval(cutting);
    }
    expect(await checkNumbered(server.url, run.id, LINES)).toMatchObject({ streams: 2, ...WHOLE });
  });

  test("are whole when another server takes the lease away in the middle", async () => {
    await using second = await spawnServer("start", env);
    const run = await start();
    await untilRun(() => server.client, run, "stage started", atStage("started"));
    for (let steal = 0; steal < 3; steal += 1) {
      await database.query("update test_run_steps set lease_holder = null, lease_expires_at = null where run_id = $1", [
        run.id,
      ]);
      const [before] = await database.query<{ fence: string }>("select fence from test_run_steps where run_id = $1", [
        run.id,
      ]);
      await expect
        .poll(
          async () =>
            (await database.query<{ fence: string }>("select fence from test_run_steps where run_id = $1", [run.id]))[0]
              ?.fence,
          { timeout: 10_000 },
        )
        .not.toBe(before?.fence);
    }
    expect(await end(run)).toMatchObject({ status: "finished", error: null });
    expect(await checkNumbered(second.url, run.id, LINES)).toMatchObject({ streams: 2, ...WHOLE });
  });
});
