import { PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import type { Run } from "@tailrace/client";
import { getK6TestRunLogs } from "@tailrace/kubernetes";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { openDatabase, type Database } from "./support/database.ts";
import { atStage, ended, sectionsByRole, startRun, untilRun } from "./support/runs.ts";
import { openSandbox, type TestSandbox } from "./support/sandbox.ts";
import { spawnServer, type ServerProcess } from "./support/server.ts";
import { until } from "./support/until.ts";

const ONE_RUNNER = { script: SCRIPTS.pass.replace("12", "1").replace("2s", "1s") };

const TESTRUNS = { group: "k6.io", version: "v1alpha1", plural: "testruns" } as const;

describe("faults between Tailrace and its cluster", { timeout: 60_000 }, () => {
  let there: TestSandbox;
  let database: Database;
  let server: ServerProcess;
  let env: Record<string, string>;
  const created: string[] = [];

  beforeAll(async () => {
    const requestLog = ({ method, path }: { method: string; path: string }): void => {
      if (method === "POST" && path.endsWith("/testruns")) created.push(path);
    };
    [there, database] = await Promise.all([openSandbox({ mode: "replay", requestLog, speed: 2 }), openDatabase()]);
    env = {
      ...there.env,
      DATABASE_URL: database.url,
      TAILRACE_AUTH: "none",
      TAILRACE_SNAPSHOT_INTERVAL: "300ms",
      // Shorter than an action may take, so that the lease bounds it.
      TAILRACE_LEASE: "3s",
      TAILRACE_DEADLINE_CREATION: "5s",
      TAILRACE_DEADLINE_INITIALIZATION: "2s",
      TAILRACE_DEADLINE_UNSCHEDULED: "2s",
    };
    server = await spawnServer("start", env);
  }, 60_000);

  afterEach(() => {
    there.sandbox.faults.clear();
    there.sandbox.faults.setOperator(true);
  });

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await there?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
  }, 60_000);

  async function untilEnd(run: Run): Promise<Run> {
    const last = await untilRun(() => server.client, run, "the end", ended, 40_000);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    return last;
  }

  async function testRunOf(run: Run): Promise<{ name: string; uid: string }> {
    const { name } = run.steps[0]!;
    const { uid } = await until(
      `TestRun ${name}`,
      async () => (await there.cluster.getTestRun(name, AbortSignal.timeout(5000)))?.metadata ?? null,
    );
    return { name, uid };
  }

  test.each([401, 403, 404, 409, 429, 500, 503, "reset"] as const)(
    "%s while the TestRun is made is shown, and tried again",
    async (answer) => {
      there.sandbox.faults.fail({ method: "POST", path: /testruns/, answer, count: 4 });
      const run = await startRun(server.client, ONE_RUNNER);
      const retrying = await untilRun(
        () => server.client,
        run,
        "a failure to show",
        ({ steps }) => steps[0]!.error !== null,
      );
      expect(retrying).toMatchObject({ status: "pending", error: null });
      expect(retrying.steps[0]!.error).toMatch(/^creating the TestRun: .+; retrying$/);
      expect(await untilEnd(run)).toMatchObject({ status: "finished", error: null, steps: [{ error: null }] });
    },
  );

  test("a TestRun that can't be made within its deadline ends the run, and is not tried again", async () => {
    there.sandbox.faults.fail({ method: "POST", path: /testruns/, answer: 403, count: Infinity });
    const run = await untilEnd(await startRun(server.client, ONE_RUNNER));
    expect(run).toMatchObject({ status: "error", startedAt: null, steps: [{ containerLogs: null, stage: null }] });
    expect(run.error).toMatch(/^the TestRun could not be created within 5 s: creating the TestRun: /);
    there.sandbox.faults.clear();
    const tries = created.length;
    await untilEnd(await startRun(server.client, ONE_RUNNER));
    expect(created.length).toBe(tries + 1);
  });

  /** Kills the server, lets it forget that it made the run's TestRun, and starts it again. */
  async function forgetTestRun(run: Run, meanwhile: () => Promise<void>): Promise<void> {
    await untilRun(
      () => server.client,
      run,
      "its TestRun",
      ({ status }) => status === "running",
    );
    await server.sigkill();
    await database.query(
      "update test_run_steps set test_run_uid = null, status = 'pending', stage = null where run_id = $1",
      [run.id],
    );
    await database.query("update test_runs set status = 'pending' where id = $1", [run.id]);
    await meanwhile();
    server = await spawnServer("start", env);
  }

  test("a TestRun whose UID was not written down before a crash is adopted, not made again", async () => {
    const run = await startRun(server.client, { ...ONE_RUNNER, script: SCRIPTS.pass.replace("2s", "8s") });
    const before = await testRunOf(run);
    await forgetTestRun(run, async () => {});
    expect(await untilEnd(run)).toMatchObject({ status: "finished", error: null });
    expect((await testRunOf(run)).uid).toBe(before.uid);
  });

  test("a TestRun of the same name that names another step is left alone", async () => {
    const run = await startRun(server.client, { ...ONE_RUNNER, script: SCRIPTS.long });
    const before = await testRunOf(run);
    await forgetTestRun(run, async () => {
      const body = { metadata: { labels: { "tailrace.dev/step": "another" } } };
      const { namespace } = there.sandbox;
      await there.core.deleteNamespacedConfigMap({ namespace, name: before.name });
      await there.core.createNamespacedConfigMap({
        namespace,
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: before.name } },
      });
      await there.custom.patchNamespacedCustomObject(
        { ...TESTRUNS, namespace: there.sandbox.namespace, name: before.name, body },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      );
    });
    const last = await untilEnd(run);
    expect(last.status).toBe("error");
    expect(last.error).toMatch(/exists that was not made for this run$|could not be created within 5 s$/);
    await until(
      "the cleanup",
      async () => (await database.query("select from cluster_cleanups where due_at < now()")).length === 0,
    );
    expect(await there.cluster.getConfigMap(before.name, AbortSignal.timeout(5000))).not.toBeNull();
    expect((await testRunOf(run)).uid).toBe(before.uid);
  });

  test("watches that are cut, and then too old, go on", async () => {
    const run = await startRun(server.client, { ...ONE_RUNNER, script: SCRIPTS.pass.replace("2s", "4s") });
    await untilRun(() => server.client, run, "stage started", atStage("started"));
    there.sandbox.faults.compactWatchHistory();
    there.sandbox.faults.cutConnections();
    expect(await untilEnd(run)).toMatchObject({ status: "finished", error: null });
  });

  test("logs that can't be read for a while are shown as such, and come back", async () => {
    const run = await startRun(server.client, { ...ONE_RUNNER, script: SCRIPTS.pass.replace("2s", "8s") });
    await untilRun(
      () => server.client,
      run,
      "lines of runner 1",
      (it) => (sectionsByRole(it).get("1")?.lines.length ?? 0) > 1,
    );
    there.sandbox.faults.fail({ method: "GET", path: /\/log\?|^\/logs\//, answer: 500, count: Infinity });
    there.sandbox.faults.cutConnections();
    const broken = await untilRun(
      () => server.client,
      run,
      "an ERROR section",
      (it) => sectionsByRole(it).get("1")?.state === "error",
    );
    expect(broken.status).toBe("running");
    expect(sectionsByRole(broken).get("1")!.lines.length).toBeGreaterThan(1);
    there.sandbox.faults.clear();
    const last = await untilEnd(run);
    expect([...sectionsByRole(last).values()].map(({ state }) => state)).toEqual(["log", "log", "log"]);
  });

  test("a run that ends while one watch is away gets its last reading all the same", async () => {
    const run = await startRun(server.client, { ...ONE_RUNNER, script: SCRIPTS.pass.replace("2s", "6s") });
    await untilRun(() => server.client, run, "stage started", atStage("started"));
    there.sandbox.faults.fail({ method: "GET", path: /\/jobs\?/, answer: 503, count: Infinity });
    there.sandbox.faults.cutConnections();
    const last = await untilEnd(run);
    there.sandbox.faults.clear();
    expect(last.status).toBe("finished");
    expect(last.steps[0]!.containerLogs).toBe(
      await getK6TestRunLogs(run.steps[0]!.name, 1000, { cluster: there.cluster }),
    );
  });

  test("a database that refuses updates is shown in the step once it takes them again", async () => {
    const run = await startRun(server.client, { ...ONE_RUNNER, script: SCRIPTS.pass.replace("2s", "10s") });
    await untilRun(() => server.client, run, "stage started", atStage("started"));
    await database.query(`
      create table shown (error text);
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '53100'; end $$;
      create function show() returns trigger language plpgsql as $$ begin insert into shown values (new.error); return null; end $$;
      create trigger shows after update of error on test_run_steps for each row execute function show();
      create trigger refuses before update of container_logs on test_run_steps for each row execute function refuse();
    `);
    const seen = server.output().length;
    await until("a failed update", () => server.output().slice(seen).includes("could not supervise the step"));
    await database.query("drop trigger refuses on test_run_steps");
    expect(await untilEnd(run)).toMatchObject({ status: "finished", error: null, steps: [{ error: null }] });
    const shown = await database.query<{ error: string | null }>("select error from shown");
    expect(shown.map(({ error }) => error)).toContainEqual(expect.stringMatching(/^following the run: .+; retrying$/));
    await database.query("drop trigger shows on test_run_steps");
  });

  test("an absent operator ends the run with a word about it", async () => {
    there.sandbox.faults.setOperator(false);
    const run = await untilEnd(await startRun(server.client, ONE_RUNNER));
    expect(run.status).toBe("error");
    expect(run.error).toMatch(/^initialization did not end within 2 s: k6-operator has not taken it up/);
  });

  test("a pod that no node takes ends the run with the scheduler's words", async () => {
    const { id } = await server.client.scenarios.create.mutate({
      teamId: "demo",
      name: "too large",
      script: SCRIPTS.pass,
      resources: { requests: { cpu: "1001" } },
    });
    const run = await untilEnd(await server.client.runs.create.mutate({ teamId: "demo", scenarioId: id }));
    expect(run.status).toBe("error");
    expect(run.error).toMatch(
      /^(the initializer|runner 1 of 1) \(.+\) was not scheduled within 2 s: Unschedulable: .*cpu/,
    );
  });
});
