import type { CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";
import type { Run } from "@tailrace/client";
import type { Cluster } from "@tailrace/core";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../support/database.ts";
import { SCRIPTS } from "../contract/scripts.ts";
import { atStage, ended, sectionsByRole, startRun, untilRun } from "../support/runs.ts";
import { spawnServer, type ServerProcess } from "../support/server.ts";
import { until } from "../support/until.ts";

/** The cluster under a whole Tailrace. */
export interface SystemCluster extends AsyncDisposable {
  /** How a server finds it. */
  env: Record<string, string>;
  namespace: string;
  core: CoreV1Api;
  custom: CustomObjectsApi;
  /** Independent of the servers under test. */
  cluster: Cluster;
  /** Takes the API server away for some seconds; absent where the test may not. */
  restartApi?: () => Promise<void>;
}

export interface SystemOptions {
  /** False where pods only replay recorded output. */
  runsScripts: boolean;
  /** Parallelisms that are run from start to end. */
  parallelisms: number[];
}

const MISSING_IMAGE = "grafana/k6:0.0.0-missing";

/** A whole Tailrace over HTTP: the same for the sandbox and for a real cluster. */
export function describeSystem(title: string, open: () => Promise<SystemCluster>, options: SystemOptions): void {
  describe(title, { timeout: 180_000 }, () => {
    let there: SystemCluster;
    let database: Database;
    let server: ServerProcess;
    let env: Record<string, string>;
    /** Every TestRun that was ever seen, by name. */
    const made = new Map<string, Set<string>>();

    beforeAll(async () => {
      [there, database] = await Promise.all([open(), openDatabase()]);
      env = {
        ...there.env,
        DATABASE_URL: database.url,
        TAILRACE_NAMESPACE: there.namespace,
        TAILRACE_AUTH: "none",
        TAILRACE_ALLOWED_IMAGES: MISSING_IMAGE,
        TAILRACE_DEADLINE_IMAGE: "5s",
        TAILRACE_SNAPSHOT_INTERVAL: "1s",
        TAILRACE_MAX_ACTIVE_RUNS: "100",
      };
      const view = there.cluster.watch();
      view.onChange((name) => {
        const uid = name === null ? undefined : view.observe(name).testRun?.metadata.uid;
        if (uid !== undefined) made.set(name!, (made.get(name!) ?? new Set()).add(uid));
      });
      server = await spawnServer("start", env);
    }, 120_000);

    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      await there?.[Symbol.asyncDispose]();
      await database?.[Symbol.asyncDispose]();
    }, 120_000);

    const client = () => server.client;

    /** The process lives and exactly one TestRun was ever made. */
    async function expectSound(run: Run): Promise<void> {
      expect([...(made.get(run.steps[0]!.name) ?? [])]).toHaveLength(1);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    }

    async function deleteTestRun(run: Run): Promise<void> {
      await there.custom.deleteNamespacedCustomObject({
        group: "k6.io",
        version: "v1alpha1",
        plural: "testruns",
        namespace: there.namespace,
        name: run.steps[0]!.name,
      });
    }

    describe("without a fault", { concurrent: true }, () => {
      test.each(options.parallelisms)("a run of %i keeps the output of every container", async (parallelism) => {
        const started = await startRun(client(), { script: SCRIPTS.pass, parallelism });
        expect(started).toMatchObject({
          status: "pending",
          verdict: null,
          parallelism,
          startedAt: null,
          finishedAt: null,
        });
        const run = await untilRun(client, started, "the end", ended);
        expect(run).toMatchObject({ status: "finished", error: null, stopRequestedAt: null });
        expect(run.startedAt! > run.createdAt && run.finishedAt! > run.startedAt!).toBe(true);
        const sections = sectionsByRole(run);
        const runners = Array.from({ length: parallelism }, (_, index) => String(index + 1));
        expect([...sections.keys()]).toEqual(["initializer", "starter", ...runners]);
        for (const { state, lines } of sections.values()) {
          expect(state).toBe("log");
          expect(lines.length).toBeGreaterThan(1);
        }
        await expectSound(run);
      });

      test("an image that does not exist ends the run with its reason, and removes the TestRun", async () => {
        const started = await startRun(client(), { script: SCRIPTS.pass, image: MISSING_IMAGE });
        const run = await untilRun(client, started, "the end", ended);
        expect(run.status).toBe("error");
        expect(run.error).toMatch(
          /^the initializer \(.+\) could not get its image grafana\/k6:0\.0\.0-missing within 5 s: (ErrImagePull|ImagePullBackOff)/,
        );
        expect(run.steps[0]!.error).toBe(run.error);
        expect(sectionsByRole(run).get("initializer")?.state).toBe("waiting");
        await until(
          "the TestRun's deletion",
          async () => (await there.cluster.getTestRun(run.steps[0]!.name, AbortSignal.timeout(10_000))) === null,
        );
        await expectSound(run);
      });

      test("a runner pod that is deleted keeps its last lines, and the run ends", async () => {
        const started = await startRun(client(), { script: SCRIPTS.pass.replace("2s", "8s"), parallelism: 2 });
        const running = await untilRun(
          client,
          started,
          "lines of runner 2",
          (run) => (sectionsByRole(run).get("2")?.lines.length ?? 0) > 0,
        );
        const { items } = await there.core.listNamespacedPod({
          namespace: there.namespace,
          labelSelector: `job-name=${running.steps[0]!.name}-2`,
        });
        await there.core.deleteNamespacedPod({ namespace: there.namespace, name: items[0]!.metadata!.name! });
        const run = await untilRun(client, started, "the end", ended);
        expect(run).toMatchObject({ status: "finished", error: null });
        expect(sectionsByRole(run).get("2")!.lines.length).toBeGreaterThanOrEqual(
          sectionsByRole(running).get("2")!.lines.length,
        );
        await expectSound(run);
      });

      test("a TestRun that somebody deletes ends the run as an error, with the last snapshot kept", async () => {
        const started = await startRun(client(), { script: SCRIPTS.long, parallelism: 2 });
        const seen = (run: Run, role: string): boolean => (sectionsByRole(run).get(role)?.lines.length ?? 0) > 0;
        await untilRun(
          client,
          started,
          "lines of starter and runner 2",
          (run) => atStage("started")(run) && seen(run, "starter") && seen(run, "2"),
        );
        await deleteTestRun(started);
        const run = await untilRun(client, started, "the end", ended);
        expect(run).toMatchObject({
          status: "error",
          error: "the TestRun was deleted by somebody else in stage started",
        });
        expect([...sectionsByRole(run).keys()]).toEqual(["initializer", "starter", "1", "2"]);
        expect(sectionsByRole(run).get("2")!.lines.length).toBeGreaterThan(0);
        await expectSound(run);
      });

      test("a stop ends running runners through k6, before its time the TestRun", async () => {
        const [late, early] = await Promise.all([
          startRun(client(), { script: SCRIPTS.long, parallelism: 2 }),
          startRun(client(), { script: SCRIPTS.long }),
        ]);
        await client().runs.stop.mutate({ teamId: "demo", runId: early.id });
        await untilRun(client, late, "stage started", atStage("started"));
        const stopping = await client().runs.stop.mutate({ teamId: "demo", runId: late.id });
        expect(stopping).toMatchObject({ status: "stopping", stopRequestedAt: expect.any(String) });
        const stopped = await untilRun(client, late, "the end", ended);
        expect(stopped).toMatchObject({ status: "finished", error: null, stopRequestedAt: stopping.stopRequestedAt });
        if (options.runsScripts) expect(sectionsByRole(stopped).get("1")!.lines.join("\n")).toMatch(/stopped|aborted/);
        expect(await untilRun(client, early, "the end", ended)).toMatchObject({ status: "finished", error: null });
        await expectSound(stopped);
      });

      test.skipIf(!options.runsScripts)("a script that throws in init ends the run with k6's own words", async () => {
        const run = await untilRun(
          client,
          await startRun(client(), { script: SCRIPTS.throwsInInit }),
          "the end",
          ended,
        );
        expect(run).toMatchObject({ status: "error", startedAt: null });
        expect(run.error).toMatch(
          /^initialization failed: the initializer ended with exit code 1; its last line: .*no token in the environment/,
        );
        await expectSound(run);
      });
    });

    test("an ended run can be deleted, and takes its objects in the cluster along", async () => {
      const run = await untilRun(client, await startRun(client(), { script: SCRIPTS.pass }), "the end", ended);
      await client().runs.delete.mutate({ teamId: "demo", runId: run.id });
      await expect(client().runs.get.query({ teamId: "demo", runId: run.id })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      await until(
        "the TestRun's deletion",
        async () => (await there.cluster.getTestRun(run.steps[0]!.name, AbortSignal.timeout(10_000))) === null,
      );
      await until("the ConfigMap's deletion", async () => {
        const { items } = await there.core.listNamespacedConfigMap({ namespace: there.namespace });
        return items.every(({ metadata }) => metadata?.name !== run.steps[0]!.name);
      });
    });

    test("an API server that goes away in the middle delays a run and nothing else", async ({ skip }) => {
      if (there.restartApi === undefined) return skip("this cluster's API server may not be restarted by a test");
      const started = await startRun(client(), { script: SCRIPTS.pass.replace("2s", "10s"), parallelism: 2 });
      await untilRun(client, started, "stage started", atStage("started"));
      await there.restartApi();
      const run = await untilRun(client, started, "the end", ended);
      expect(run).toMatchObject({ status: "finished", error: null });
      expect([...sectionsByRole(run).values()].map(({ state }) => state)).toEqual(["log", "log", "log", "log"]);
      await expectSound(run);
    });

    test("a database that drops its connections delays a run and nothing else", async () => {
      const started = await startRun(client(), { script: SCRIPTS.pass.replace("2s", "6s"), parallelism: 1 });
      for (const stage of ["initialization", "started"]) {
        await untilRun(
          client,
          started,
          `stage ${stage}`,
          (run) => run.steps[0]!.stage !== null && (stage !== "started" || atStage(stage)(run)),
        );
        const cut = await database.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
        );
        expect(cut.length).toBeGreaterThan(0);
      }
      const run = await untilRun(client, started, "the end", ended);
      expect(run).toMatchObject({ status: "finished", error: null });
      await expectSound(run);
    });

    test("a server that is killed and started again goes on with the run", async () => {
      const started = await startRun(client(), { script: SCRIPTS.pass.replace("2s", "8s"), parallelism: 2 });
      await server.sigkill();
      server = await spawnServer("start", env);
      await untilRun(client, started, "stage started", atStage("started"));
      await server.sigkill();
      server = await spawnServer("start", env);
      const run = await untilRun(client, started, "the end", ended);
      expect(run).toMatchObject({ status: "finished", error: null });
      expect([...sectionsByRole(run).keys()]).toEqual(["initializer", "starter", "1", "2"]);
      await expectSound(run);
    });

    test("a second server takes over within 10 s of a SIGKILL, and never before", async () => {
      const started = await startRun(client(), { script: SCRIPTS.long, parallelism: 1 });
      await untilRun(client, started, "stage started", atStage("started"));
      await using second = await spawnServer("start", env);
      const before = await database.query<{ lease_holder: string; fence: string }>(
        "select lease_holder, fence from test_run_steps where run_id = $1",
        [started.id],
      );
      const killed = Date.now();
      await server.sigkill();
      await until("another holder", async () => {
        const [now] = await database.query<{ lease_holder: string }>(
          "select lease_holder from test_run_steps where run_id = $1",
          [started.id],
        );
        return now!.lease_holder !== before[0]!.lease_holder;
      });
      expect(Date.now() - killed).toBeLessThan(10_000);
      await second.client.runs.stop.mutate({ teamId: "demo", runId: started.id });
      const run = await untilRun(() => second.client, started, "the end", ended);
      expect(run).toMatchObject({ status: "finished", error: null });
      expect([...made.get(run.steps[0]!.name)!]).toHaveLength(1);
      server = await spawnServer("start", env);
    });

    test("SIGTERM ends the server cleanly, and the run goes on elsewhere at once", async () => {
      const started = await startRun(client(), { script: SCRIPTS.pass, parallelism: 1 });
      await untilRun(client, started, "its TestRun", (run) => run.status === "running");
      expect(await server.sigterm()).toBe(0);
      expect(server.output()).toContain("closed");
      const [lease] = await database.query<{ lease_holder: string | null }>(
        "select lease_holder from test_run_steps where run_id = $1",
        [started.id],
      );
      expect(lease!.lease_holder).toBeNull();
      server = await spawnServer("start", env);
      expect(await untilRun(client, started, "the end", ended)).toMatchObject({ status: "finished" });
    });
  });
}
