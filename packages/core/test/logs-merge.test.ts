import { describe, expect, test } from "vitest";
import {
  initializerLines,
  mergeSections,
  ownedPods,
  testRunContainers,
  type ContainerRead,
  type ContainerSection,
  type PodObject,
  type ReadContainer,
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

function reads(pods: PodObject[], read: ContainerRead): ReadContainer[] {
  return testRunContainers("t", pods).map((ref) => ({ ref, read }));
}

const good: ContainerRead = { kind: "log", lines: ["new"], truncated: false, diagnostic: null };

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
    expect(mergeSections(name, kept, []).map((it) => it.pod)).toEqual(
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

describe("mergeSections", () => {
  test("keeps the section of a pod that is gone, in its place", () => {
    const before = [section("t-initializer-a", ["i"]), section("t-1-a", ["one"]), section("t-2-a", ["two"])];
    expect(mergeSections("t", before, reads([pod("t-initializer-a"), pod("t-2-a")], good))).toEqual([
      section("t-initializer-a", ["new"]),
      section("t-1-a", ["one"]),
      section("t-2-a", ["new"]),
    ]);
  });

  test("keeps what is known where the log is gone", () => {
    const gone: ContainerRead = { kind: "gone", reason: 'pods "t-1-a" not found' };
    expect(mergeSections("t", [section("t-1-a", ["one"])], reads([pod("t-1-a")], gone))).toEqual([
      section("t-1-a", ["one"]),
    ]);
    expect(mergeSections("t", [], reads([pod("t-1-a")], gone))).toEqual([
      section("t-1-a", [], { state: "error", reason: 'pods "t-1-a" not found' }),
    ]);
  });

  test("keeps the known lines under an ERROR header where reading failed", () => {
    const failed: ContainerRead = { kind: "retry", reason: "HTTP 503: overloaded" };
    const once = mergeSections("t", [section("t-1-a", ["one"])], reads([pod("t-1-a")], failed));
    expect(once).toEqual([section("t-1-a", ["one"], { state: "error", reason: "HTTP 503: overloaded" })]);
    expect(mergeSections("t", once, reads([pod("t-1-a")], good))).toEqual([section("t-1-a", ["new"])]);
  });

  test("a restarted container stands behind its former instance", () => {
    expect(mergeSections("t", [section("t-1-a", ["first"])], reads([pod("t-1-a", 1)], good))).toEqual([
      section("t-1-a", ["first"]),
      section("t-1-a", ["new"], { restart: 1 }),
    ]);
  });

  test("reading the same again changes nothing", () => {
    const all = reads([pod("t-initializer-a"), pod("t-1-a"), pod("t-2-a", 3)], good);
    const first = mergeSections("t", [], all);
    expect(mergeSections("t", first, all)).toEqual(first);
  });
});
