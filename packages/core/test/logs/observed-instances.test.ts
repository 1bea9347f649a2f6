import { describe, expect, test } from "vitest";
import { instanceKey, observedInstances, type ContainerState, type PodObject } from "../../src/index.ts";
import { finalState, loadCase } from "../recorded.ts";

const FIRST = "2026-11-23T16:22:28Z";
const SECOND = "2026-11-23T16:22:40Z";

const ended = (startedAt: string | undefined): ContainerState => ({
  terminated: { exitCode: 1, ...(startedAt !== undefined && { startedAt }) },
});

function pod(
  state: ContainerState | undefined,
  lastState: ContainerState | undefined,
  restartCount: number,
): PodObject {
  const status = { name: "k6", restartCount, ...(state && { state }), ...(lastState && { lastState }) };
  return {
    metadata: { name: "run-3-abcde", uid: "u", labels: { "job-name": "run-3" } },
    spec: { nodeName: "n1", containers: [{ name: "k6" }] },
    status: { hostIP: "10.0.0.1", containerStatuses: [status] },
  };
}

/** Restart, phase, start and whether it is the previous one, of each. */
function shape(object: PodObject): unknown[] {
  return observedInstances("run", object).map(({ instance, state, previous }) => [
    instance.restart,
    state.phase,
    state.phase === "waiting" || state.startedAt === null
      ? null
      : new Date(state.startedAt).toISOString().replace(".000", ""),
    previous,
  ]);
}

describe("observedInstances", () => {
  test.each<[string, ContainerState | undefined, ContainerState | undefined, number, unknown[]]>([
    ["nothing known yet", undefined, undefined, 0, []],
    ["waits to start", { waiting: { reason: "ContainerCreating" } }, undefined, 0, []],
    ["runs", { running: { startedAt: FIRST } }, undefined, 0, [[0, "running", FIRST, false]]],
    ["has ended", ended(FIRST), undefined, 0, [[0, "terminated", FIRST, false]]],
    ["has ended, who knows when it began", ended(undefined), undefined, 0, [[0, "terminated", null, false]]],
    [
      "waits to be restarted",
      { waiting: { reason: "CrashLoopBackOff" } },
      ended(FIRST),
      0,
      [[0, "terminated", FIRST, false]],
    ],
    ["waits to be restarted again", { waiting: {} }, ended(SECOND), 4, [[4, "terminated", SECOND, false]]],
    [
      "runs again",
      { running: { startedAt: SECOND } },
      ended(FIRST),
      1,
      [
        [0, "terminated", FIRST, true],
        [1, "running", SECOND, false],
      ],
    ],
    [
      "has ended again",
      ended(SECOND),
      ended(FIRST),
      2,
      [
        [1, "terminated", FIRST, true],
        [2, "terminated", SECOND, false],
      ],
    ],
  ])("%s", (_, state, lastState, restarts, expected) => {
    expect(shape(pod(state, lastState, restarts))).toEqual(expected);
  });

  test("names pod, container, role, runner and node", () => {
    expect(observedInstances("run", pod({ running: { startedAt: FIRST } }, undefined, 0))).toEqual([
      {
        instance: {
          podUid: "u",
          pod: "run-3-abcde",
          container: "k6",
          restart: 0,
          role: "runner",
          runner: 3,
          named: false,
        },
        state: { phase: "running", startedAt: Date.parse(FIRST) },
        node: { name: "n1", address: "10.0.0.1" },
        previous: false,
      },
    ]);
  });

  test("has no node without its address", () => {
    const object = pod({ running: {} }, undefined, 0);
    delete object.status!.hostIP;
    expect(observedInstances("run", object)).toMatchObject([{ node: null, state: { startedAt: null } }]);
  });

  test("lists init containers first, in a recorded run", () => {
    const { pods } = finalState(loadCase("init-container"));
    const found = pods.flatMap((object) => observedInstances("init-container", object));
    const shown = found.map(({ instance: { role, runner, container, named }, state }) => [
      role,
      runner,
      container,
      named,
      state.phase,
    ]);
    expect(shown.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      ["init", null, "prepare", true, "terminated"],
      ["init", 1, "prepare", true, "terminated"],
      ["init", 2, "prepare", true, "terminated"],
      ["initializer", null, "k6", true, "terminated"],
      ["runner", 1, "k6", true, "terminated"],
      ["runner", 2, "k6", true, "terminated"],
      ["starter", null, "k6-curl", false, "terminated"],
    ]);
    const containers = found.filter(({ instance }) => instance.pod === found[0]!.instance.pod);
    expect(containers.map(({ instance }) => instance.role)[0]).toBe("init");
    expect(new Set(found.map(({ instance }) => instanceKey(instance))).size).toBe(7);
  });
});
