import type { JobObject, PodObject, TestRunObject } from "@tailrace/core";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ClusterStore, type WatchedKind, type WatchedKinds } from "../src/watch/cluster-store.ts";
import type { ObjectEvent } from "../src/watch/event.ts";

type AnyObject = WatchedKinds[WatchedKind];

/** One kind on a server: its objects, and the events since the beginning, one per resource version. */
class ServerKind {
  readonly objects = new Map<string, AnyObject>();
  readonly events: ObjectEvent<AnyObject>[] = [];

  put(object: AnyObject): void {
    const stored = withVersion(object, this.events.length + 1);
    const type = this.objects.has(object.metadata.uid) ? "MODIFIED" : "ADDED";
    this.objects.set(object.metadata.uid, stored);
    this.events.push({ type, object: stored });
  }

  delete(uid: string): void {
    const object = this.objects.get(uid);
    if (object === undefined) return;
    this.objects.delete(uid);
    this.events.push({ type: "DELETED", object: withVersion(object, this.events.length + 1) });
  }
}

function withVersion(object: AnyObject, version: number): AnyObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

/** The world: two names, two generations of TestRuns, jobs of each, pods of each. */
const NAMES = ["a", "b"];
const OBJECTS: { kind: WatchedKind; object: AnyObject }[] = NAMES.flatMap((name) =>
  [1, 2].flatMap((generation) => {
    const uid = `${name}${generation}`;
    const owned = (own: string, owner: string) => ({
      metadata: {
        name: own,
        uid: own,
        labels: { app: "k6", k6_cr: name },
        ownerReferences: [{ apiVersion: "v1", kind: "Owner", name: owner, uid: owner }],
      },
    });
    return [
      { kind: "testruns" as const, object: { metadata: { name, uid } } },
      { kind: "jobs" as const, object: owned(`${uid}-job1`, uid) },
      { kind: "jobs" as const, object: owned(`${uid}-job2`, uid) },
      { kind: "pods" as const, object: owned(`${uid}-pod1`, `${uid}-job1`) },
      { kind: "pods" as const, object: owned(`${uid}-pod2`, `${uid}-job2`) },
    ];
  }),
);

type Step =
  | { do: "put" | "delete"; which: number }
  /** The client reads up to so many events of a kind's watch. */
  | { do: "watch"; kind: WatchedKind; events: number }
  /** The client's watch was lost, and it lists. */
  | { do: "list"; kind: WatchedKind };

const kindOf = fc.constantFrom<WatchedKind>("testruns", "jobs", "pods");
const stepOf: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("put" as const), which: fc.nat({ max: OBJECTS.length - 1 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("delete" as const), which: fc.nat({ max: OBJECTS.length - 1 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("watch" as const), kind: kindOf, events: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("list" as const), kind: kindOf }) },
);

/** Plays steps against a server and a store that follows it. `seen` is called after each change of the store. */
function play(steps: Step[], seen: (store: ClusterStore, names: Set<string>) => void = () => undefined) {
  const server = { testruns: new ServerKind(), jobs: new ServerKind(), pods: new ServerKind() };
  const read = { testruns: 0, jobs: 0, pods: 0 };
  const store = new ClusterStore();
  const list = (kind: WatchedKind): void => {
    read[kind] = server[kind].events.length;
    seen(store, store.replace(kind, Array.from(server[kind].objects.values()) as never[]));
  };
  const watch = (kind: WatchedKind, count: number): void => {
    for (const event of server[kind].events.slice(read[kind], read[kind] + count)) {
      read[kind] += 1;
      seen(store, store.apply(kind, event));
    }
  };
  const step = (one: Step): void => {
    if (one.do === "list") list(one.kind);
    else if (one.do === "watch") watch(one.kind, one.events);
    else if (one.do === "put") put(server, one.which);
    else server[OBJECTS[one.which]!.kind].delete(OBJECTS[one.which]!.object.metadata.uid);
  };
  for (const one of steps) step(one);
  return { server, store, list, watch };
}

/** As on a server, one name has at most one TestRun at a time. */
function put(server: Record<WatchedKind, ServerKind>, which: number): void {
  const { kind, object } = OBJECTS[which]!;
  const other = Array.from(server[kind].objects.values()).find(
    (known) => known.metadata.name === object.metadata.name && known.metadata.uid !== object.metadata.uid,
  );
  if (other !== undefined) server[kind].delete(other.metadata.uid);
  server[kind].put(object);
}

const uidsOf = (objects: readonly AnyObject[]): string[] => objects.map(({ metadata }) => metadata.uid).toSorted();
const versionsOf = (objects: readonly AnyObject[]): string[] =>
  objects.map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`).toSorted();

function named<T extends AnyObject>(kind: ServerKind, name: string): T[] {
  return (Array.from(kind.objects.values()) as T[]).filter(
    ({ metadata }) => (metadata.labels?.["k6_cr"] ?? metadata.name) === name,
  );
}

describe("any interleaving of changes, lists and watches", () => {
  const stepsOf = fc.array(stepOf, { maxLength: 60 });

  test("ends in the server's state once every event was read", () => {
    fc.assert(
      fc.property(
        stepsOf,
        fc.shuffledSubarray<WatchedKind>(["testruns", "jobs", "pods"], { minLength: 3 }),
        (steps, order) => {
          const { server, store, watch } = play(steps);
          for (const kind of order) watch(kind, Infinity);
          for (const name of NAMES) {
            const [testRun] = named<TestRunObject>(server.testruns, name);
            const seen = store.observe(name);
            expect(seen.testRun).toEqual(testRun ?? null);
            if (testRun === undefined) continue;
            const uid = testRun.metadata.uid;
            const jobs = named<JobObject>(server.jobs, name).filter(
              (job) => job.metadata.ownerReferences![0]!.uid === uid,
            );
            expect(versionsOf(seen.jobs)).toEqual(versionsOf(jobs));
            const pods = named<PodObject>(server.pods, name);
            const certain = pods.filter((pod) => uidsOf(jobs).includes(pod.metadata.ownerReferences![0]!.uid));
            const possible = pods.filter((pod) => pod.metadata.uid.startsWith(uid));
            expect(versionsOf(seen.pods)).toEqual(expect.arrayContaining(versionsOf(certain)));
            expect(versionsOf(possible)).toEqual(expect.arrayContaining(versionsOf(seen.pods)));
          }
        },
      ),
    );
  });

  test("names every TestRun whose observation changed", () => {
    fc.assert(
      fc.property(stepsOf, (steps) => {
        const before = new Map(NAMES.map((name) => [name, JSON.stringify(new ClusterStore().observe(name))]));
        play(steps, (store, names) => {
          for (const name of NAMES) {
            const now = JSON.stringify(store.observe(name));
            if (now !== before.get(name)) expect(names).toContain(name);
            before.set(name, now);
          }
        });
      }),
    );
  });

  test("forgets all of what is gone", () => {
    fc.assert(
      fc.property(stepsOf, fc.boolean(), (steps, byList) => {
        const { server, store, list, watch } = play(steps);
        for (const kind of ["testruns", "jobs", "pods"] as const) {
          for (const uid of Array.from(server[kind].objects.keys())) server[kind].delete(uid);
          if (byList) list(kind);
          else watch(kind, Infinity);
        }
        expect(store.names).toBe(0);
        for (const name of NAMES) expect(store.observe(name)).toEqual({ testRun: null, jobs: [], pods: [] });
      }),
    );
  });
});

describe("owners", () => {
  const object = (name: string): AnyObject => OBJECTS.find((one) => one.object.metadata.uid === name)!.object;

  function storeOf(...uids: string[]): ClusterStore {
    const store = new ClusterStore();
    for (const uid of uids) {
      const { kind, object: added } = OBJECTS.find((one) => one.object.metadata.uid === uid)!;
      store.apply(kind, { type: "ADDED", object: added });
    }
    return store;
  }

  test("objects of a former TestRun of the same name are not shown", () => {
    const store = storeOf("a1-job1", "a1-pod1", "a2", "a2-job1", "a2-pod1");
    expect(uidsOf(store.observe("a").pods)).toEqual(["a2-pod1"]);
    expect(uidsOf(store.observe("a").jobs)).toEqual(["a2-job1"]);
  });

  test("once the TestRun is gone its last UID decides, also for pods whose Job is gone", () => {
    const store = storeOf("a1-job1", "a1-pod1", "a2", "a2-job1", "a2-pod1");
    store.apply("testruns", { type: "DELETED", object: object("a2") });
    store.apply("jobs", { type: "DELETED", object: object("a2-job1") as JobObject });
    expect(store.observe("a").testRun).toBeNull();
    expect(store.observe("a").jobs).toEqual([]);
    expect(uidsOf(store.observe("a").pods)).toEqual(["a2-pod1"]);
  });

  test("a TestRun that was never seen shows everything of its name", () => {
    const store = storeOf("a1-pod1", "a2-job1", "a2-pod1");
    expect(uidsOf(store.observe("a").pods)).toEqual(["a1-pod1", "a2-pod1"]);
    expect(uidsOf(store.observe("a").jobs)).toEqual(["a2-job1"]);
  });

  test("objects without the operator's label belong to nobody", () => {
    const store = new ClusterStore();
    expect(
      store.apply("pods", { type: "ADDED", object: { metadata: { name: "x", uid: "x", labels: { app: "k6" } } } }),
    ).toEqual(new Set());
    expect(store.names).toBe(0);
  });

  test("an object whose label changes concerns both names", () => {
    const pod = (name: string) => ({ metadata: { name: "x", uid: "x", labels: { k6_cr: name } } });
    const store = new ClusterStore();
    store.apply("pods", { type: "ADDED", object: pod("a") });
    expect(store.apply("pods", { type: "MODIFIED", object: pod("b") })).toEqual(new Set(["a", "b"]));
    expect(store.observe("a").pods).toEqual([]);
    expect(store.observe("b").pods).toHaveLength(1);
  });
});

test("the recording of a TestRun that was deleted while it ran", () => {
  const store = new ClusterStore();
  const events = (["testruns", "jobs", "pods"] as const).flatMap((kind) =>
    readFileSync(new URL(`fixtures/testrun-deleted/${kind}.jsonl`, import.meta.url), "utf8")
      .trim()
      .split("\n")
      .map((line) => ({ kind, ...(JSON.parse(line) as { received: string; type: string; object: never }) })),
  );
  let runners = 0;
  for (const { kind, type, object } of events.toSorted((a, b) => (a.received < b.received ? -1 : 1))) {
    if (type === "LIST") store.replace(kind, (object as { items: never[] }).items);
    else store.apply(kind, { type, object } as ObjectEvent<never>);
    const { testRun, pods } = store.observe("testrun-deleted");
    if (testRun === null && pods.length > 0) runners = Math.max(runners, pods.length);
  }
  expect(runners).toBeGreaterThanOrEqual(2);
  expect(store.observe("testrun-deleted")).toEqual({ testRun: null, jobs: [], pods: [] });
  expect(store.names).toBe(0);
});
