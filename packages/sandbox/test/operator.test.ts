import { describe, expect, test } from "vitest";
import { withSelector } from "../src/controllers/job-pod.ts";
import { parseArguments } from "../src/operator/arguments.ts";
import { initializerCommand, runnerCommand } from "../src/operator/commands.ts";
import { initializerJob, runnerJob, starterJob } from "../src/operator/objects.ts";
import { nextStep, type OperatorView } from "../src/operator/reconcile.ts";
import type { Job, Pod, TestRun } from "../src/store/kinds.ts";
import type { NewObject } from "../src/store/store.ts";
import { recordedJson } from "./recorded.ts";

interface RecordedJob {
  metadata: { name: string; labels: Record<string, string> };
  template: { metadata: { labels: Record<string, string> }; spec: object };
}

describe("the operator's jobs", () => {
  const cases = recordedJson("operator-jobs.json") as Record<string, { testRun: TestRun; jobs: RecordedJob[] }>;
  const all = Object.entries(cases).flatMap(([name, { testRun, jobs }]) => jobs.map((job) => ({ name, testRun, job })));

  test.each(all)("$job.metadata.name is the recorded one", ({ testRun, job }) => {
    const made = withSelector(make(testRun, job));
    const { metadata, spec } = made as unknown as Job;
    const uids = ["controller-uid", "batch.kubernetes.io/controller-uid"];
    const without = (labels: Record<string, string>): object =>
      Object.fromEntries(Object.entries(labels).filter(([key]) => !uids.includes(key)));
    expect(metadata.labels).toEqual(job.metadata.labels);
    expect(without(spec.template.metadata.labels ?? {})).toEqual(without(job.template.metadata.labels));
    expect(spec.template.spec).toEqual(job.template.spec);
  });

  function make(testRun: TestRun, { metadata: { name }, template }: RecordedJob): NewObject {
    const args = parseArguments(testRun.spec.arguments)!;
    if (name.endsWith("-initializer")) return initializerJob(testRun, args);
    if (!name.endsWith("-starter")) return runnerJob(testRun, Number(name.split("-").at(-1)), args);
    return starterJob(
      testRun,
      Array.from(JSON.stringify(template.spec).matchAll(/http:\/\/([0-9.]+):6565/g), ([, address]) => address!),
    );
  }
});

describe("arguments", () => {
  test("the archive does not get what it has no flag for", () => {
    const parsed = parseArguments(
      "--vus 3 --tag a=b -e X=1 --out json=/dev/null --log-output=stdout --no-usage-report -v",
    )!;
    expect(parsed.archive).toBe("--vus 3 --tag a=b -e X=1");
    expect(parsed.run).toHaveLength(11);
  });

  test("a value for which there is no flag is refused", () => {
    expect(parseArguments("this is-invalid")).toBeNull();
    expect(parseArguments("--vus 3 4")).toBeNull();
    expect(parseArguments(undefined)).toEqual({ run: [], archive: "" });
  });

  test("environment and arguments of the initializer are words of a shell", () => {
    const spec = { parallelism: 1, script: { configMap: { name: "s", file: "script.js" } } };
    const env = [
      { name: "FOO", value: "b a$$r" },
      { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    ];
    const [, , text] = initializerCommand(spec, env, parseArguments("--vus 3")!);
    expect(text).toContain(
      `if ! k6 archive /test/script.js -e FOO="b a$$r" -e POD="" -O /tmp/script.js.archived.tar --vus 3 2> "\${logs}"; then`,
    );
  });

  test("quiet and paused can be switched off", () => {
    const spec = { parallelism: 1, quiet: "false", paused: "false", script: { configMap: { name: "s" } } };
    const command = runnerCommand("t", spec, 1, parseArguments("")!);
    expect(command).toEqual([
      "k6",
      "run",
      "/test/test.js",
      "--address=0.0.0.0:6565",
      "--tag",
      "instance_id=1",
      "--tag",
      "testrun_name=t",
    ]);
  });
});

describe("the next step", () => {
  const condition = {
    type: "CloudTestRun",
    status: "Unknown",
    reason: "",
    message: "",
    lastTransitionTime: "",
  } as const;
  const metadata = { name: "t", namespace: "n", uid: "u", resourceVersion: "1", creationTimestamp: "" };
  const job = (name: string, status: object): Job =>
    ({ metadata: { ...metadata, name, uid: `job-${name}` }, spec: {}, status }) as unknown as Job;
  const pod = (of: string, status: object): Pod =>
    ({
      metadata: {
        ...metadata,
        name: `${of}-x`,
        ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: of, uid: `job-${of}` }],
      },
      spec: { containers: [] },
      status,
    }) as Pod;
  const view = (
    stage: string | undefined,
    more: Partial<OperatorView> = {},
    spec: object = {},
    conditions: object[] | undefined = [condition],
  ): OperatorView => ({
    testRun: { metadata, spec: { parallelism: 2, ...spec }, status: { stage, conditions } } as unknown as TestRun,
    jobs: new Map(),
    pods: [],
    initializerLog: undefined,
    ...more,
  });
  const initializer = new Map([["t-initializer", job("t-initializer", {})]]);
  const ended = { startTime: "x" };
  const active = { startTime: "x", active: 1 };
  const runners = (first: object, second: object): Map<string, Job> =>
    new Map([
      ["t-1", job("t-1", first)],
      ["t-2", job("t-2", second)],
    ]);
  const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };

  test.each<[string, OperatorView, object]>([
    ["parallelism below 1", view(undefined, {}, { parallelism: 0 }), { do: "wait" }],
    ["arguments that do not parse", view(undefined, {}, { arguments: "a b" }, undefined), { do: "refuse-arguments" }],
    [
      "initializer disabled",
      view(undefined, {}, { initializer: { disabled: true } }),
      { do: "set-stage", stage: "initialized" },
    ],
    ["a new one", view(undefined), { do: "set-stage", stage: "initialization" }],
    ["no initializer yet", view("initialization"), { do: "create-initializer" }],
    [
      "initializer failed",
      view("initialization", { jobs: initializer, pods: [pod("t-initializer", { phase: "Failed" })] }),
      { do: "set-stage", stage: "error" },
    ],
    [
      "initializer says no JSON",
      view("initialization", {
        jobs: initializer,
        pods: [pod("t-initializer", { phase: "Succeeded" })],
        initializerLog: "{}x",
      }),
      { do: "set-stage", stage: "error" },
    ],
    [
      "fewer VUs than runners",
      view("initialization", {
        jobs: initializer,
        pods: [pod("t-initializer", { phase: "Succeeded" })],
        initializerLog: `{"maxVUs":1}`,
      }),
      { do: "set-stage", stage: "error" },
    ],
    [
      "enough VUs",
      view("initialization", {
        jobs: initializer,
        pods: [pod("t-initializer", { phase: "Succeeded" })],
        initializerLog: `{"maxVUs":2}`,
      }),
      { do: "not-a-cloud-test" },
    ],
    ["no runners yet", view("initialized"), { do: "create-runners" }],
    ["jobs of that name are there", view("initialized", { jobs: runners(active, active) }), { do: "wait" }],
    [
      "one runner is not ready",
      view("created", { jobs: runners(active, active), pods: [pod("t-1", ready)] }),
      { do: "wait" },
    ],
    [
      "all runners are ready",
      view("created", { jobs: runners(active, active), pods: [pod("t-1", ready), pod("t-2", ready)] }),
      { do: "start" },
    ],
    ["one runner is active", view("started", { jobs: runners(ended, active) }), { do: "wait" }],
    ["a runner's job is gone", view("started", { jobs: new Map([["t-1", job("t-1", ended)]]) }), { do: "wait" }],
    ["no runner is active", view("started", { jobs: runners(ended, ended) }), { do: "set-stage", stage: "stopped" }],
    ["stopped", view("stopped"), { do: "set-stage", stage: "finished" }],
    ["finished", view("finished"), { do: "wait" }],
    ["finished, to be cleaned up", view("finished", {}, { cleanup: "post" }), { do: "delete" }],
  ])("%s", (_, given, expected) => {
    expect(nextStep(given)).toMatchObject(expected);
  });
});
