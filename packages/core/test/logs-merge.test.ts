import { describe, expect, test } from "vitest";
import {
  initializerLines,
  orderSections,
  ownedPods,
  testRunContainers,
  waitingSection,
  type ContainerSection,
  type PodObject,
} from "../src/index.ts";
import { finalState, loadCase } from "./recorded.ts";

function section(pod: string, lines: string[], rest: Partial<ContainerSection> = {}): ContainerSection {
  return { pod, container: null, restart: 0, state: "log", reason: null, lines, ...rest };
}

function pod(name: string, restart = 0): PodObject {
  return {
    metadata: { name, uid: name },
    spec: { containers: [{ name: "k6" }] },
    status: { containerStatuses: [{ name: "k6", restartCount: restart, state: { running: {} } }] },
  };
}

describe("testRunContainers", () => {
  test("orders initializer, starter, runners by index, with init containers first", () => {
    const { jobs, pods, testRun } = finalState(loadCase("init-container"));
    const refs = testRunContainers("init-container", ownedPods(testRun!.metadata.uid, jobs, pods.toReversed()));
    expect(
      refs.map(({ role, runnerIndex, container, named, init }) => [role, runnerIndex, container, named, init]),
    ).toEqual([
      ["initializer", 0, "prepare", true, true],
      ["initializer", 0, "k6", true, false],
      ["starter", 0, "k6-curl", false, false],
      ["runner", 1, "prepare", true, true],
      ["runner", 1, "k6", true, false],
      ["runner", 2, "prepare", true, true],
      ["runner", 2, "k6", true, false],
    ]);
  });

  test("orders runner 10 behind runner 2", () => {
    const refs = testRunContainers(
      "t",
      ["t-10-aaaaa", "t-2-zzzzz", "t-starter-aaaaa", "t-initializer-zzzzz"].map((name) => pod(name)),
    );
    expect(refs.map((ref) => ref.pod)).toEqual(["t-initializer-zzzzz", "t-starter-aaaaa", "t-2-zzzzz", "t-10-aaaaa"]);
  });

  test("knows the pods of a TestRun whose name is so long that Kubernetes cuts theirs", () => {
    const name = "k6-".padEnd(51, "x");
    const generated = (job: string): string => `${`${name}-${job}-`.slice(0, 58)}aktkr`;
    const pods = ["2", "10", "starter", "initializer"].map((job) => pod(generated(job)));
    for (const { metadata } of pods) expect(metadata.name.length).toBeLessThanOrEqual(63);
    const kept = pods.map(({ metadata }) => section(metadata.name, ["x"]));
    expect(orderSections(name, [], kept).map((it) => it.pod)).toEqual(
      ["initializer", "starter", "2", "10"].map(generated),
    );
    expect(initializerLines(name, [section(generated("initializer"), ["report"])])).toEqual(["report"]);
  });

  test("a waiting container says why, in one line", () => {
    const { pods } = finalState(loadCase("image-pull-error"));
    const runner = testRunContainers("image-pull-error", pods).find(({ role }) => role === "runner");
    expect(runner?.state).toEqual({
      phase: "waiting",
      reason: expect.stringMatching(/^(ErrImagePull|ImagePullBackOff): .+/),
    });
  });

  test("pods of another TestRun of the same name are left out", () => {
    const { jobs, pods } = finalState(loadCase("pass-1"));
    expect(ownedPods("another-uid", jobs, pods)).toEqual([]);
    expect(ownedPods(null, jobs, pods)).toHaveLength(3);
  });
});

describe("orderSections", () => {
  test("keeps pods that are gone in their place", () => {
    const sections = [
      section("t-2-a", []),
      section("t-10-a", []),
      section("t-1-a", []),
      section("t-initializer-a", []),
    ];
    const pods = [pod("t-initializer-a"), pod("t-2-a")];
    expect(orderSections("t", pods, sections).map((it) => it.pod)).toEqual([
      "t-initializer-a",
      "t-1-a",
      "t-2-a",
      "t-10-a",
    ]);
  });

  test("a restarted container stands behind its former instance", () => {
    const first = section("t-1-a", ["first"]);
    const second = section("t-1-a", ["second"], { restart: 1 });
    expect(orderSections("t", [pod("t-1-a", 1)], [second, first])).toEqual([first, second]);
  });

  test("containers of a pod stand as it declares them, init containers first", () => {
    const { pods } = finalState(loadCase("init-container"));
    const sections = testRunContainers("init-container", pods).map(({ pod: name, container }) =>
      section(name, [], { container }),
    );
    expect(orderSections("init-container", pods, sections.toReversed())).toEqual(sections);
  });
});

describe("waitingSection", () => {
  test("is there for containers that have not started alone", () => {
    const { pods } = finalState(loadCase("image-pull-error"));
    const refs = testRunContainers("image-pull-error", pods);
    const sections = refs.map(waitingSection);
    expect(sections.map((it) => it?.state ?? null)).toEqual(
      refs.map(({ role }) => (role === "runner" ? "waiting" : null)),
    );
    expect(sections.at(-1)).toMatchObject({ reason: expect.stringMatching(/ImagePull/), lines: [] });
  });
});
