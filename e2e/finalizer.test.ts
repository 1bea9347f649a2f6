import type { Run } from "@tailrace/client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { checkNumbered } from "./support/numbered.ts";
import { startRun, untilRun } from "./support/runs.ts";
import type { ServerProcess } from "./support/server.ts";
import { SteeredRunners } from "./support/steered.ts";
import { untilStored } from "./support/stored.ts";
import { deleteTestRun, runnerPods, testRunOf, untilTestRunIsGone } from "./support/test-runs.ts";
import { until } from "./support/until.ts";
import { expectWhole, untilEnd, wholeReport } from "./support/whole.ts";
import { openWorld, type World } from "./support/world.ts";

const FINALIZER = "tailrace.dev/logs";

const LAST_WORDS = 3000;

const DELETED = {
  status: "error",
  error: expect.stringMatching(/^the TestRun was deleted by somebody else in stage /),
};

describe("a TestRun that somebody deletes", { timeout: 90_000 }, () => {
  const runners = new SteeredRunners({ runners: 2, lastWords: LAST_WORDS });
  const parts = new AsyncDisposableStack();
  let world: World;
  let server: ServerProcess;

  beforeAll(async () => {
    world = parts.use(await openWorld({ sandbox: { programs: [runners.program] }, env: { TAILRACE_LEASE: "3s" } }));
    server = await world.serve();
  }, 60_000);

  beforeEach(() => {
    runners.reset();
    world.there.sandbox.faults.setOperator(true);
  });

  afterAll(() => parts.disposeAsync(), 60_000);

  /** Starts a run that has printed so many lines of each runner. */
  async function start(lines: number): Promise<Run> {
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(lines);
    await untilStored(world.database, run, lines);
    expect((await testRunOf(world.there, run))!.metadata.finalizers).toEqual([FINALIZER]);
    return run;
  }

  async function openStreams(run: Run): Promise<number> {
    const rows = await world.database.query("select from log_streams where run_id = $1 and sealed_at is null", [
      run.id,
    ]);
    return rows.length;
  }

  test("stops its runners within 2 s, and goes when their last words are stored", async ({ annotate }) => {
    const run = await start(500);
    const deleted = performance.now();
    await deleteTestRun(world.there, run);
    const gone = await untilTestRunIsGone(world.there, run);
    expect(await openStreams(run)).toBe(0);
    const stopped = Array.from(runners.stoppedAt.values(), (at) => at - deleted);
    expect(stopped).toHaveLength(2);
    await annotate(
      `runners stopped after ${stopped.map(Math.round).join(" and ")} ms, gone after ${Math.round(gone)} ms`,
    );
    expect(Math.max(...stopped)).toBeLessThan(2000);
    expect(await untilEnd(server.client, run)).toMatchObject(DELETED);
    const lines = 500 + LAST_WORDS;
    expect(await checkNumbered(server.url, run.id, lines)).toMatchObject(wholeReport(2, lines));
  });

  test("goes at once when no pod is left", async () => {
    const run = await start(500);
    const pods = await world.there.core.listNamespacedPod({ namespace: world.there.sandbox.namespace });
    const own = pods.items.map(({ metadata }) => metadata!.name!).filter((name) => name.startsWith(run.steps[0]!.name));
    expect(own).toHaveLength(4);
    for (const name of own)
      await world.there.core.deleteNamespacedPod({ namespace: world.there.sandbox.namespace, name });
    await until("the end of the pods", async () => {
      const { items } = await world.there.core.listNamespacedPod({ namespace: world.there.sandbox.namespace });
      return items.every(({ metadata }) => !own.includes(metadata!.name!));
    });
    await deleteTestRun(world.there, run);
    expect(await untilTestRunIsGone(world.there, run)).toBeLessThan(5000);
    await untilEnd(server.client, run);
  });

  test("goes at once when it never had a pod", async () => {
    world.there.sandbox.faults.setOperator(false);
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await untilRun(
      () => server.client,
      run,
      "its TestRun",
      ({ status }) => status === "running",
    );
    await deleteTestRun(world.there, run);
    expect(await untilTestRunIsGone(world.there, run)).toBeLessThan(5000);
    expect(await untilEnd(server.client, run)).toMatchObject({ status: "error" });
  });

  test("waits for a server where none is up, and loses nothing", async () => {
    const run = await start(500);
    await server.sigkill();
    await deleteTestRun(world.there, run);
    await runners.print(2000);
    runners.finish();
    await until("the end of the runners", async () => {
      const pods = await runnerPods(world.there, run);
      const { items } = await world.there.core.listNamespacedPod({ namespace: world.there.sandbox.namespace });
      const ended = items.filter(({ status }) => status?.phase === "Succeeded").map(({ metadata }) => metadata!.name!);
      return pods.length === 2 && pods.every((name) => ended.includes(name));
    });
    expect((await testRunOf(world.there, run))!.metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      finalizers: [FINALIZER],
    });
    server = await world.serve();
    await untilTestRunIsGone(world.there, run);
    expect(await openStreams(run)).toBe(0);
    expect(await checkNumbered(server.url, run.id, 2000)).toMatchObject(wholeReport(2, 2000));
  });
});

describe("the TestRun of a run that ends", { timeout: 90_000 }, () => {
  test("stays for as long as the cleanup is to wait, and is not held meanwhile", async () => {
    const runners = new SteeredRunners({ runners: 2 });
    const env = { TAILRACE_CLEANUP_AFTER: "5s" };
    await using world = await openWorld({ sandbox: { programs: [runners.program] }, env });
    const server = await world.serve();
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(1000);
    runners.finish();
    await until("its release", async () => {
      const testRun = await testRunOf(world.there, run);
      return testRun !== null && (testRun.metadata.finalizers ?? []).length === 0;
    });
    await expectWhole(server, run, 1000);
    await untilTestRunIsGone(world.there, run);
    const [times] = await world.database.query<{ waited: number }>(
      "select extract(epoch from now() - greatest(r.finished_at, max(l.sealed_at)))::float as waited from test_runs r join log_streams l on l.run_id = r.id where r.id = $1 group by r.finished_at",
      [run.id],
    );
    expect(times!.waited).toBeGreaterThanOrEqual(5);
  });

  test("has no finalizer where the setting says so, and goes with its pods", async () => {
    const runners = new SteeredRunners({ runners: 2 });
    await using world = await openWorld({
      sandbox: { programs: [runners.program] },
      env: { TAILRACE_FINALIZER: "false" },
    });
    const server = await world.serve();
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(500);
    expect((await testRunOf(world.there, run))!.metadata.finalizers).toBeUndefined();
    await deleteTestRun(world.there, run);
    expect(await testRunOf(world.there, run)).toBeNull();
    expect(await untilEnd(server.client, run)).toMatchObject(DELETED);
  });
});

describe("a TestRun that is deleted while nothing can be read", { timeout: 120_000 }, () => {
  test("is released after 60 s at the latest, and its logs say what is missing", async ({ annotate }) => {
    const runners = new SteeredRunners({ runners: 2, lastWords: 100 });
    await using world = await openWorld({ sandbox: { programs: [runners.program] } });
    const server = await world.serve();
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(500);
    await untilStored(world.database, run, 500);
    await world.there.sandbox.faults.stopKubelet();
    await deleteTestRun(world.there, run);
    const gone = await untilTestRunIsGone(world.there, run, 90_000);
    await annotate(`released after ${Math.round(gone)} ms`);
    expect(gone).toBeGreaterThan(10_000);
    expect(gone).toBeLessThan(62_000);
    await untilEnd(server.client, run);
    const { truncated, ...report } = await checkNumbered(server.url, run.id, 500);
    expect(report).toMatchObject({ lines: 1000, lost: 0, doubled: 0, reordered: 0, gaps: [] });
    expect(truncated).toEqual([expect.stringContaining("after the TestRun had been deleted"), expect.any(String)]);
  });
});
