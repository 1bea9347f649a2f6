import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  noteImageFailures,
  planWrite,
  reconcile,
  type ContainerState,
  type Deadlines,
  type Decision,
  type ImageFailures,
  type Knowledge,
  type Observation,
  type PodObject,
  type StepRecord,
} from "../src/index.ts";
import { caseNames, initializerSections, loadCase, states, type RecordedCase } from "./recorded.ts";

const MINUTE = 60_000;
const deadlines: Deadlines = {
  creationMs: MINUTE,
  initializationMs: 5 * MINUTE,
  imageMs: 2 * MINUTE,
  unscheduledMs: 5 * MINUTE,
  createdMs: 5 * MINUTE,
  endMs: 5 * MINUTE,
  unknownDurationMs: 24 * 60 * MINUTE,
  stopMs: 45_000,
};
const nothing: Observation = { testRun: null, jobs: [], pods: [] };
const T0 = Date.parse("2026-11-23T16:00:00Z");

function step(rest: Partial<StepRecord> = {}): StepRecord {
  return {
    id: "step-1",
    runId: "run-1",
    teamId: "demo",
    namespace: "default",
    config: { name: "t", script: "export default () => {}", parallelism: 2 },
    status: "pending",
    stage: null,
    error: null,
    testRunUid: null,
    containerLogsHash: null,
    totalDurationMs: null,
    createdAt: new Date(T0),
    stageChangedAt: null,
    startedAt: null,
    stopRequestedAt: null,
    fence: 1,
    ...rest,
  };
}

function knowledge(rest: Partial<Knowledge>): Knowledge {
  return {
    step: step(),
    observation: nothing,
    synced: true,
    absent: false,
    failure: null,
    blindSince: null,
    imageFailures: new Map(),
    sections: [],
    now: T0 + 1000,
    deadlines,
    ...rest,
  };
}

function running(stage: string, rest: Partial<StepRecord> = {}): Partial<Knowledge> {
  const testRun = {
    metadata: { name: "t", uid: "uid-1", creationTimestamp: new Date(T0).toISOString() },
    status: { stage },
  };
  const record = step({ status: "running", testRunUid: "uid-1", stage, stageChangedAt: new Date(T0), ...rest });
  return { step: record, observation: { testRun, jobs: [], pods: [] } };
}

/** Plays a recording to its end, writing each decision as a supervisor would; an absence is confirmed when asked for. */
function play(
  recorded: RecordedCase,
  intent: { stopAt?: string; until?: number } = {},
): { decisions: Decision[]; last: StepRecord } {
  let record: StepRecord | undefined;
  const decisions: Decision[] = [];
  const sections = initializerSections(recorded);
  let imageFailures: ImageFailures = new Map();
  const decide = (now: number, observation: Observation): void => {
    imageFailures = noteImageFailures(imageFailures, observation.pods, now);
    if (record === undefined || record.status === "finished" || record.status === "error") return;
    if (intent.stopAt !== undefined && record.stage === intent.stopAt)
      record = { ...record, stopRequestedAt: record.stopRequestedAt ?? new Date(now) };
    let decision = reconcile(knowledge({ step: record, observation, sections, now, imageFailures }));
    if (decision.action?.kind === "confirm_absence")
      decision = reconcile(knowledge({ step: record, observation, sections, now, absent: true }));
    decisions.push(decision);
    const patch = planWrite(record, decision, { containerLogs: null, totalDurationMs: null, deleteAt: null }, now);
    record = { ...record, ...patch };
  };
  for (const { at, observation } of states(recorded)) {
    if (record === undefined && observation.testRun !== null) {
      const { name, uid } = observation.testRun.metadata;
      record = step({
        config: { name, script: "x", parallelism: observation.testRun.spec?.parallelism ?? 1 },
        createdAt: new Date(at),
        testRunUid: uid,
        status: "running",
      });
    }
    decide(at, observation);
    if (intent.until !== undefined) continue;
  }
  const end = [...states(recorded)].at(-1)!;
  if (intent.until !== undefined) decide(end.at + intent.until, end.observation);
  return { decisions, last: record! };
}

describe("the status of every recorded case", () => {
  test.each([
    ["pass-1", "finished", "finished", null],
    ["pass-4", "finished", "finished", null],
    ["thresholds-failed", "finished", "finished", null],
    ["threshold-failed-in-one", "finished", "finished", null],
    [
      "script-exception-init",
      "error",
      "error",
      /^initialization failed: the initializer ended with exit code 1; its last line: .*no token in the environment/,
    ],
    ["script-exception-setup", "finished", "finished", null],
    ["script-exception-teardown", "finished", "finished", null],
    ["iteration-exceptions", "finished", "finished", null],
    ["abort", "finished", "finished", null],
    ["oom", "finished", "finished", null],
    ["image-pull-error", "running", "created", null],
    ["invalid-arguments", "error", "error", /arguments could not be parsed/],
    ["maxvus-below-parallelism", "error", "error", /^parallelism \d+ is larger than the script's maximum of 1 VUs/],
    ["runner-pod-deleted", "finished", "finished", null],
    ["testrun-deleted", "error", "started", /^the TestRun was deleted by somebody else in stage started$/],
    ["cleanup-post", "finished", "finished", null],
    ["odd-bytes", "finished", "finished", null],
    ["odd-bytes-raw", "finished", "finished", null],
    ["k6-json-logs", "finished", "finished", null],
    ["stop-by-rest", "finished", "finished", null],
    ["summary-two-runners", "finished", "finished", null],
    ["init-container", "finished", "finished", null],
  ] as const)("%s ends as %s in stage %s", (name, status, stage, error) => {
    const { last } = play(loadCase(name));
    expect([last.status, last.stage]).toEqual([status, stage]);
    if (error === null) expect(last.error).toBeNull();
    else expect(last.error).toMatch(error);
  });

  test("the table above names every recording", () => {
    expect(caseNames()).toHaveLength(22);
  });

  test("an image that can't be pulled ends the run when its deadline passes", () => {
    const { decisions, last } = play(loadCase("image-pull-error"), { until: 2 * MINUTE });
    expect(last.status).toBe("error");
    expect(last.error).toMatch(
      /^runner 1 of 2 \(image-pull-error-1-\w+\) could not get its image \S+ within 2 min: (ErrImagePull|ImagePullBackOff): /,
    );
    expect(decisions.at(-1)?.ending).toEqual({ status: "error", deleteNow: true, stopping: true });
  });

  test("a TestRun deleted after a stop was asked for is finished", () => {
    expect(play(loadCase("testrun-deleted"), { stopAt: "started" }).last).toMatchObject({
      status: "finished",
      error: null,
    });
  });

  test("startedAt is set when the stage says started, and only once", () => {
    const { last } = play(loadCase("pass-4"));
    const started = loadCase("pass-4").events.find(
      (event) => event.kind === "testruns" && event.object.status?.stage === "started",
    );
    expect(last.startedAt?.getTime()).toBe(Date.parse(started!.at));
    expect(play(loadCase("script-exception-init")).last.startedAt).toBeNull();
  });
});

describe("a step without a TestRun", () => {
  test("is created while it is pending", () => {
    const decision = reconcile(knowledge({}));
    expect(decision).toMatchObject({ status: "pending", action: { kind: "create" }, wakeAt: T0 + MINUTE });
  });

  test("is never created after its deadline: what may exist is looked for, then it ends", () => {
    const late = { now: T0 + MINUTE };
    expect(reconcile(knowledge(late)).action).toEqual({ kind: "find" });
    expect(reconcile(knowledge({ ...late, absent: true }))).toMatchObject({
      status: "error",
      error: "the TestRun could not be created within 1 min",
      ending: { deleteNow: false },
    });
    expect(reconcile(knowledge({ ...late, failure: "creating the TestRun: forbidden" }))).toMatchObject({
      error: "the TestRun could not be created within 1 min: creating the TestRun: forbidden",
      ending: { deleteNow: true },
    });
  });

  test("is never created after a stop", () => {
    const stopped = step({ status: "stopping", stopRequestedAt: new Date(T0) });
    expect(reconcile(knowledge({ step: stopped })).action).toEqual({ kind: "find" });
    expect(reconcile(knowledge({ step: stopped, absent: true }))).toMatchObject({ status: "finished", error: null });
  });

  test("shows what is being retried", () => {
    expect(reconcile(knowledge({ failure: "creating the TestRun: HTTP 503" })).error).toBe(
      "creating the TestRun: HTTP 503; retrying",
    );
  });
});

describe("a step with a TestRun", () => {
  test("is never created again, whatever is seen", () => {
    fc.assert(
      fc.property(
        fc.record({
          synced: fc.boolean(),
          absent: fc.boolean(),
          failure: fc.option(fc.constant("x")),
          blindSince: fc.option(fc.constant(T0)),
          now: fc.integer({ min: T0, max: T0 + 48 * 60 * MINUTE }),
          stop: fc.boolean(),
          stage: fc.constantFrom(
            null,
            "initialization",
            "initialized",
            "created",
            "started",
            "stopped",
            "finished",
            "error",
          ),
          seen: fc.constantFrom("uid-1", "uid-2", null),
        }),
        ({ stop, stage, seen, ...rest }) => {
          const record = step({
            status: "running",
            testRunUid: "uid-1",
            stage,
            stopRequestedAt: stop ? new Date(T0) : null,
          });
          const testRun =
            seen === null ? null : { metadata: { name: "t", uid: seen }, status: stage === null ? {} : { stage } };
          const decision = reconcile(
            knowledge({ ...rest, step: record, observation: { testRun, jobs: [], pods: [] } }),
          );
          expect(decision.action?.kind).not.toBe("create");
          expect(decision.action?.kind).not.toBe("find");
          if (decision.ending !== null) expect(decision.status).toBe(decision.ending.status);
        },
      ),
    );
  });

  test("a TestRun of the same name with another UID is not ours", () => {
    const { step: record, observation } = running("started");
    const other = { ...observation!.testRun!, metadata: { name: "t", uid: "uid-2" } };
    const decision = reconcile(knowledge({ step: record!, observation: { ...nothing, testRun: other } }));
    expect(decision.action).toEqual({ kind: "confirm_absence" });
  });

  test("absence means nothing before the watch has listed", () => {
    const { step: record } = running("started");
    expect(reconcile(knowledge({ step: record!, synced: false })).action).toBeNull();
  });

  test("a TestRun that can't be asked for does not keep a run alive beyond its deadline", () => {
    const { step: record } = running("started", { startedAt: new Date(T0), totalDurationMs: 0 });
    const late = { step: record!, now: T0 + 5 * MINUTE };
    expect(reconcile(knowledge(late)).action).toEqual({ kind: "confirm_absence" });
    expect(reconcile(knowledge({ ...late, failure: "asking for the TestRun: forbidden" }))).toMatchObject({
      status: "error",
      ending: { deleteNow: true },
    });
  });

  test("a stop before the runners are started deletes the TestRun", () => {
    for (const stage of ["initialization", "initialized", "created"]) {
      const decision = reconcile(knowledge(running(stage, { stopRequestedAt: new Date(T0) })));
      expect(decision).toMatchObject({ status: "stopping", action: { kind: "delete_test_run" } });
    }
  });

  test("a stop of running runners asks k6, and deletes when that does not end it", () => {
    const known = running("started", { stopRequestedAt: new Date(T0), startedAt: new Date(T0) });
    const pods = ["t-1-aaaaa", "t-2-bbbbb", "t-starter-ccccc"].map((name) => ({
      metadata: { name, uid: name },
      status: { containerStatuses: [{ name: "k6", restartCount: 0, state: { running: {} } }] },
    }));
    const observation = { ...known.observation!, pods };
    expect(reconcile(knowledge({ ...known, observation, now: T0 + 1000 }))).toMatchObject({
      status: "stopping",
      action: { kind: "stop_runners", pods: ["t-1-aaaaa", "t-2-bbbbb"] },
      wakeAt: T0 + 45_000,
    });
    expect(reconcile(knowledge({ ...known, observation, now: T0 + 45_000 })).action).toEqual({
      kind: "delete_test_run",
    });
    expect(reconcile(knowledge({ ...known, observation, now: T0 + 45_000 + 120_000 }))).toMatchObject({
      status: "error",
      error: "the run could not be stopped within 2 min 45 s",
      ending: { deleteNow: true },
    });
  });

  test.each([
    ["initialization", {}, 5 * MINUTE, /^initialization did not end within 5 min: still in stage initialization/],
    ["", {}, 5 * MINUTE, /k6-operator has not taken it up/],
    ["initialized", {}, 5 * MINUTE, /^the runners did not start within 5 min: still in stage initialized/],
    ["created", {}, 5 * MINUTE, /^the runners did not start within 5 min: still in stage created/],
    [
      "started",
      { startedAt: new Date(T0), totalDurationMs: 35_000 },
      5 * MINUTE + 35_000,
      /^the run did not end within 5 min 35 s: the script's total duration of 35 s and 5 min more$/,
    ],
    ["started", { startedAt: new Date(T0) }, 24 * 60 * MINUTE, /could not be read$/],
  ] as const)("the deadline of stage '%s' (%#) ends the run with its reason", (stage, rest, limit, reason) => {
    const known = running(stage, { ...rest, stage: stage || null });
    expect(reconcile(knowledge({ ...known, now: T0 + limit - 1 }))).toMatchObject({
      status: "running",
      wakeAt: T0 + limit,
    });
    const passed = reconcile(knowledge({ ...known, now: T0 + limit }));
    expect(passed).toMatchObject({ status: "error", ending: { status: "error", deleteNow: true } });
    expect(passed.error).toMatch(reason);
  });

  test("an unschedulable pod has a deadline of its own and says why", () => {
    const known = running("created");
    const pod = {
      metadata: { name: "t-2-aaaaa", uid: "p", creationTimestamp: new Date(T0).toISOString() },
      status: {
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/1 nodes are available: 1 Insufficient cpu.",
          },
        ],
      },
    };
    const decision = reconcile(
      knowledge({ ...known, observation: { ...known.observation!, pods: [pod] }, now: T0 + 5 * MINUTE }),
    );
    expect(decision.error).toBe(
      "runner 2 of 2 (t-2-aaaaa) was not scheduled within 5 min: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.",
    );
  });

  test("no deadline passes while the cluster can't be seen, until that lasted too long itself", () => {
    const known = {
      ...running("started", { startedAt: new Date(T0), totalDurationMs: 0 }),
      failure: "connect ECONNREFUSED",
    };
    const blindSince = T0 + 5 * MINUTE - 1;
    expect(reconcile(knowledge({ ...known, blindSince, now: T0 + 6 * MINUTE }))).toMatchObject({
      status: "running",
      error: "connect ECONNREFUSED; retrying",
    });
    expect(reconcile(knowledge({ ...known, blindSince, now: blindSince + 5 * MINUTE }))).toMatchObject({
      status: "error",
      error: "the cluster could not be reached for 5 min: connect ECONNREFUSED",
    });
  });

  test("a slow pull is no failure: the image's deadline counts from the first time it failed", () => {
    const known = running("initialization");
    const waiting = (reason: string): PodObject => ({
      metadata: { name: "t-initializer-aaaaa", uid: "p", creationTimestamp: new Date(T0).toISOString() },
      status: { containerStatuses: [{ name: "k6", restartCount: 0, image: "i", state: { waiting: { reason } } }] },
    });
    const at = (
      minutes: number,
      pod: PodObject,
      before: ImageFailures,
    ): { decision: Decision; failures: ImageFailures } => {
      const now = T0 + minutes * MINUTE;
      const failures = noteImageFailures(before, [pod], now);
      const observation = { ...known.observation!, pods: [pod] };
      return { decision: reconcile(knowledge({ ...known, observation, now, imageFailures: failures })), failures };
    };
    const pulling = at(3, waiting("ContainerCreating"), new Map());
    const failed = at(3.5, waiting("ErrImagePull"), pulling.failures);
    expect(failed.decision).toMatchObject({ status: "running", wakeAt: T0 + 5 * MINUTE });
    const mended = at(3.6, waiting("ContainerCreating"), at(3.5, waiting("ErrImagePull"), new Map()).failures);
    expect(mended.failures.size).toBe(0);
    const passed = at(4.9, waiting("ImagePullBackOff"), at(2.8, waiting("ErrImagePull"), new Map()).failures);
    expect(passed.decision).toMatchObject({ status: "error", ending: { deleteNow: true } });
    expect(passed.decision.error).toMatch(/^the initializer .* could not get its image i within 2 min/);
  });

  test("the initializer's pod that vanished unread is not called a refusal of arguments", () => {
    const known = running("error");
    const job = { metadata: { name: "t-initializer", uid: "j" } };
    const decision = reconcile(knowledge({ ...known, observation: { ...known.observation!, jobs: [job] } }));
    expect(decision.error).toBe("initialization failed: the initializer's pod is gone, and its log was not read");
  });

  describe("a TestRun that was deleted, and is held until its logs are read", () => {
    const deletedAt = T0 + 10_000;
    const iso = (at: number): string => new Date(at).toISOString();
    const deleted = "the TestRun was deleted by somebody else in stage started";

    function held(stage: string, state: ContainerState, rest: Partial<StepRecord> = {}): Decision {
      const known = running(stage, rest);
      const { testRun } = known.observation!;
      const metadata = { ...testRun!.metadata, deletionTimestamp: iso(deletedAt), finalizers: ["tailrace.dev/logs"] };
      const runner: PodObject = {
        metadata: { name: "t-1-aaaaa", uid: "p", labels: { "job-name": "t-1" } },
        spec: { containers: [{ name: "k6" }] },
        status: { containerStatuses: [{ name: "k6", restartCount: 0, state }] },
      };
      const observation = { testRun: { ...testRun!, metadata }, jobs: [], pods: [runner] };
      return reconcile(knowledge({ ...known, observation, now: deletedAt + 5000 }));
    }

    const ended = (at: number): ContainerState => ({ terminated: { exitCode: 0, finishedAt: iso(at) } });

    test.each([
      ["started", "runs on", { running: {} }, "error", deleted],
      ["stopped", "ended because of it", ended(deletedAt + 1000), "error", deleted],
      ["finished", "ended because of it", ended(deletedAt + 1000), "error", deleted],
      ["finished", "had ended before", ended(deletedAt - 1000), "finished", null],
      ["error", "never began", { waiting: {} }, "error", expect.stringContaining("refused the TestRun")],
    ] as const)("in stage %s, whose runner %s", (stage, _, state, status, error) => {
      expect(held(stage, state)).toMatchObject({ status, error, stage });
    });

    test.each(["started", "stopped", "finished"])("in stage %s, after a stop was asked for", (stage) => {
      const decision = held(stage, ended(deletedAt + 1000), { stopRequestedAt: new Date(T0 + 9000) });
      expect(decision).toMatchObject({ status: "finished", error: null, ending: { stopping: true } });
    });
  });

  test("a stopped TestRun that is gone has finished, whether or not the API answers", () => {
    const { step: record } = running("stopped");
    const gone = { step: record!, now: T0 + 10_000, failure: "asking for the TestRun: HTTP 503" };
    expect(reconcile(knowledge(gone))).toMatchObject({ status: "finished", error: null });
  });

  test("a stage that stays stopped counts as finished", () => {
    const known = running("stopped");
    expect(reconcile(knowledge({ ...known, now: T0 + 9_999 }))).toMatchObject({
      status: "running",
      wakeAt: T0 + 10_000,
    });
    expect(reconcile(knowledge({ ...known, now: T0 + 10_000 }))).toMatchObject({
      status: "finished",
      stage: "stopped",
    });
  });
});

describe("planWrite", () => {
  const findings = { containerLogs: null, totalDurationMs: null, deleteAt: null };
  const logs = (text: string): { text: string; hash: string } => ({ text, hash: `#${text}` });
  const stored = step({ status: "running", testRunUid: "uid-1", stage: "started", containerLogsHash: "#text" });
  const same = reconcile(knowledge(running("started", { startedAt: new Date(T0), containerLogsHash: "#text" })));

  test("writes nothing when nothing changed", () => {
    expect(planWrite(stored, same, { ...findings, containerLogs: logs("text") }, T0)).toBeNull();
    expect(planWrite(stored, same, findings, T0)).toBeNull();
  });

  test("writes logs when none exist yet, or their content changed", () => {
    const first = { ...findings, containerLogs: logs("first") };
    expect(planWrite({ ...stored, containerLogsHash: null }, same, first, T0)).toEqual({ containerLogs: "first" });
    expect(planWrite(stored, same, { ...findings, containerLogs: logs("more") }, T0)).toEqual({
      containerLogs: "more",
    });
  });

  test("writes logs with a changed status, in the same patch", () => {
    const ended: Decision = {
      ...same,
      status: "finished",
      stage: "finished",
      ending: { status: "finished", deleteNow: false, stopping: false },
    };
    expect(
      planWrite(stored, ended, { ...findings, containerLogs: logs("text"), deleteAt: new Date(T0 + 1) }, T0),
    ).toEqual({
      status: "finished",
      stage: "finished",
      stageChangedAt: new Date(T0),
      startedAt: new Date(T0),
      containerLogs: "text",
      finishedAt: new Date(T0),
      cleanup: { deleteAt: new Date(T0 + 1) },
    });
  });
});
