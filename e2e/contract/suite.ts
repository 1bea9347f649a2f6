import { randomBytes } from "node:crypto";
import {
  buildConfigMap,
  buildTestRun,
  DEFAULT_STARTER_IMAGE,
  makeId,
  parseContainerLogs,
  roleOfPodName,
  testRunContainers,
  type Cluster,
  type ClusterView,
  type Observation,
  type TestRunManifest,
  type TestRunObject,
} from "@tailrace/core";
import { getK6TestRunLogs } from "@tailrace/kubernetes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WITHOUT_K6 } from "../support/k6.ts";
import { until } from "../support/until.ts";
import { SCRIPTS } from "./scripts.ts";

/** The cluster that a contract is checked against. */
export interface ContractCluster extends AsyncDisposable {
  cluster: Cluster;
  /** The k6 image that is there. */
  image: string;
  /** False where pods only replay recorded output: what a script does can't be seen then. */
  runsScripts: boolean;
  deletePod(name: string): Promise<void>;
}

interface Run {
  name: string;
  /** Every stage that the watch showed, in order. */
  stages: string[];
  observe(): Observation;
  created: TestRunObject;
}

/** What Tailrace relies on of Kubernetes and k6-operator: the same for the sandbox and for a real cluster. */
export function describeContract(
  title: string,
  open: () => Promise<ContractCluster>,
  options: { runsScripts: boolean },
): void {
  describe(title, { concurrent: true, timeout: 180_000 }, () => {
    let there: ContractCluster;
    let view: ClusterView;
    const never = new AbortController().signal;

    beforeAll(async () => {
      there = await open();
      view = there.cluster.watch();
      await until("the first list", () => view.synced);
    }, 120_000);

    afterAll(async () => {
      await view?.close();
      await there?.[Symbol.asyncDispose]();
    }, 120_000);

    async function start(
      script: string,
      rest: { name?: string; parallelism?: number; image?: string; edit?: (manifest: TestRunManifest) => void } = {},
    ): Promise<Run> {
      const id = makeId(randomBytes(16));
      const input = {
        config: { name: rest.name ?? `k6-${id}`, script, parallelism: rest.parallelism ?? 2 },
        stepId: id,
        runId: id,
        teamId: "contract",
        settings: { image: rest.image ?? there.image, starterImage: DEFAULT_STARTER_IMAGE },
      };
      const run = { name: input.config.name, stages: [] as string[], observe: () => view.observe(input.config.name) };
      view.onChange((name) => {
        const stage = run.observe().testRun?.status?.stage;
        if (name === run.name && stage && stage !== run.stages.at(-1)) run.stages.push(stage);
      });
      await there.cluster.createConfigMap(buildConfigMap(input), never);
      const manifest = buildTestRun(input);
      rest.edit?.(manifest);
      return { ...run, created: await there.cluster.createTestRun(manifest, never) };
    }

    async function reach(run: Run, stage: string): Promise<Observation> {
      await until(
        `stage ${stage} of ${run.name}, seen: ${run.stages.join(", ")}`,
        () => run.stages.includes(stage),
        150_000,
      );
      return run.observe();
    }

    async function remove(run: Run): Promise<void> {
      await there.cluster.deleteTestRun(run.name, run.created.metadata.uid, never);
      const configMap = await there.cluster.getConfigMap(run.name, never);
      if (configMap !== null) await there.cluster.deleteConfigMap(run.name, configMap.metadata.uid, never);
      await until(`the end of ${run.name}`, () => {
        const { testRun, pods, jobs } = run.observe();
        return testRun === null && pods.length === 0 && jobs.length === 0;
      });
    }

    /** Exit codes of the runners by index; waits for the kubelet to report them. */
    async function exitCodes(run: Run): Promise<number[]> {
      return until<number[] | null>(`exit codes of ${run.name}`, () => {
        const runners = run.observe().pods.flatMap((pod) => {
          const ref = testRunContainers(run.name, [pod]).find(({ role, init }) => role === "runner" && !init);
          const ended = pod.status?.containerStatuses?.[0]?.state?.terminated;
          return ref === undefined ? [] : [{ index: ref.runnerIndex, code: ended?.exitCode }];
        });
        const codes = runners.toSorted((a, b) => a.index - b.index).map(({ code }) => code);
        return codes.length > 0 && codes.every((code) => code !== undefined) ? codes : null;
      });
    }

    test("a run of two goes through its stages, and every container's log can be read", async () => {
      const run = await start(SCRIPTS.pass);
      expect(run.created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      await reach(run, "finished");
      expect(run.stages.filter((stage) => stage !== "stopped")).toEqual([
        "initialization",
        "initialized",
        "created",
        "started",
        "finished",
      ]);
      expect(await exitCodes(run)).toEqual([0, 0]);

      const sections = parseContainerLogs(await getK6TestRunLogs(run.name, 1000, { cluster: there.cluster }));
      expect(
        sections.map(({ pod, state }) => [pod.slice(run.name.length).replace(/-[a-z0-9]{5}$/, ""), state]),
      ).toEqual([
        ["-initializer", "log"],
        ["-starter", "log"],
        ["-1", "log"],
        ["-2", "log"],
      ]);
      for (const { lines } of sections) expect(lines.length).toBeGreaterThan(1);
      if (options.runsScripts)
        expect(sections[2]!.lines.filter((line) => line.includes('msg="iteration '))).not.toHaveLength(0);

      const tail = parseContainerLogs(await getK6TestRunLogs(run.name, 3, { cluster: there.cluster }));
      expect(tail.map(({ lines }) => lines)).toEqual(sections.map(({ lines }) => lines.slice(-3)));
      await remove(run);
    });

    test("the pods of the longest name are told apart, though their own names are cut", async () => {
      const run = await start(SCRIPTS.pass, { name: `k6-${makeId(randomBytes(16))}`.padEnd(51, "x") });
      await reach(run, "finished");
      const sections = parseContainerLogs(await getK6TestRunLogs(run.name, 1000, { cluster: there.cluster }));
      const roles = sections.map(({ pod }) => roleOfPodName(run.name, pod));
      expect(roles.map(({ role, runnerIndex }) => [role, runnerIndex])).toEqual([
        ["initializer", 0],
        ["starter", 0],
        ["runner", 1],
        ["runner", 2],
      ]);
      await remove(run);
    });

    test("a second TestRun of the same name is refused, and its deletion spares the first", async () => {
      const run = await start(SCRIPTS.oneVu, { parallelism: 1 });
      const again = start(SCRIPTS.oneVu, { edit: (manifest) => (manifest.metadata.name = run.name) });
      await expect(again).rejects.toMatchObject({ name: "ClusterError", code: "already_exists" });
      await there.cluster.deleteTestRun(run.name, "00000000-0000-0000-0000-000000000000", never);
      expect((await there.cluster.getTestRun(run.name, never))?.metadata.uid).toBe(run.created.metadata.uid);
      await remove(run);
      expect(await there.cluster.getTestRun(run.name, never)).toBeNull();
    });

    test("arguments that can't be parsed end in stage error, without a pod", async () => {
      const run = await start(SCRIPTS.pass, { edit: (manifest) => (manifest.spec["arguments"] = "no-dash") });
      const { pods } = await reach(run, "error");
      expect(pods).toEqual([]);
      await remove(run);
    });

    test("an image that does not exist leaves the TestRun in its stage, with the reason in the pod", async () => {
      const run = await start(SCRIPTS.pass, { image: "grafana/k6:0.0.0-missing" });
      const reason = await until("a waiting reason", () => {
        const waiting = run.observe().pods[0]?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
        return waiting !== undefined && /^(ErrImagePull|ImagePullBackOff)$/.test(waiting) ? waiting : null;
      });
      expect(reason).toMatch(/ErrImagePull|ImagePullBackOff/);
      expect(run.stages).toEqual(["initialization"]);
      const [section] = parseContainerLogs(await getK6TestRunLogs(run.name, 100, { cluster: there.cluster }));
      expect(section).toMatchObject({
        state: "waiting",
        reason: expect.stringMatching(/ErrImagePull|ImagePullBackOff/),
      });
      await remove(run);
    });

    test("a stopped runner ends with exit code 103", async () => {
      const run = await start(SCRIPTS.long);
      await reach(run, "started");
      const runners = await until("two running runners", () => {
        const running = run
          .observe()
          .pods.filter(
            (pod) => pod.metadata.labels?.["runner"] === "true" && pod.status?.containerStatuses?.[0]?.state?.running,
          );
        return running.length === 2 ? running.map((pod) => pod.metadata.name) : null;
      });
      await Promise.all(runners.map((pod) => there.cluster.stopRunner(pod, never)));
      await reach(run, "finished");
      expect(await exitCodes(run)).toEqual([103, 103]);
      await remove(run);
    });

    test("a deleted runner pod is not replaced, and the others go on", async () => {
      const run = await start(SCRIPTS.pass);
      await reach(run, "started");
      const second = run.observe().pods.find((pod) => pod.metadata.labels?.["job-name"] === `${run.name}-2`);
      await there.deletePod(second!.metadata.name);
      const { pods } = await reach(run, "finished");
      expect(pods.map((pod) => pod.metadata.labels?.["job-name"])).not.toContain(`${run.name}-2`);
      expect(await exitCodes(run)).toEqual([0]);
      await remove(run);
    });

    test("a deleted TestRun takes its running pods along", async () => {
      const run = await start(SCRIPTS.long);
      await reach(run, "started");
      await remove(run);
      expect(run.stages).not.toContain("finished");
    });

    test("the log of a pod that never was is gone, not empty", async () => {
      const answer = await there.cluster.readPodLog(
        { pod: "never-was", container: "k6", tailLines: 10, maxBytes: 1000 },
        never,
      );
      expect(answer.status).toBe(404);
      await expect(getK6TestRunLogs("never-was", 10, { cluster: there.cluster })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    });

    describe.skipIf(!options.runsScripts)(
      options.runsScripts ? "what scripts do" : WITHOUT_K6,
      { concurrent: true },
      () => {
        test("a script that throws in init ends in stage error, and says why in the initializer's log", async () => {
          const run = await start(SCRIPTS.throwsInInit);
          await reach(run, "error");
          const [initializer, ...others] = parseContainerLogs(
            await getK6TestRunLogs(run.name, 100, { cluster: there.cluster }),
          );
          expect(initializer!.lines.join("\n")).toContain("no token in the environment");
          expect(others).toEqual([]);
          await remove(run);
        });

        test("more runners than VUs end in stage error", async () => {
          const run = await start(SCRIPTS.oneVu, { parallelism: 2 });
          await reach(run, "error");
          await remove(run);
        });

        test("stage finished says nothing of exit codes: thresholds 99, setup 107", async () => {
          const [thresholds, setup] = await Promise.all([start(SCRIPTS.thresholdFails), start(SCRIPTS.throwsInSetup)]);
          await Promise.all([reach(thresholds, "finished"), reach(setup, "finished")]);
          expect(await exitCodes(thresholds)).toEqual([99, 99]);
          expect(await exitCodes(setup)).toEqual([107, 107]);
          await Promise.all([remove(thresholds), remove(setup)]);
        });
      },
    );
  });
}
