import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deleteObject } from "../src/store/delete.ts";
import { collectDependents } from "../src/store/gc.ts";
import type { StoredObject } from "../src/store/objects.ts";
import { parseSelectors } from "../src/store/selectors.ts";
import { ObjectStore } from "../src/store/store.ts";
import { selectedEvent, type Change } from "../src/store/watch-event.ts";

const NAMES = ["a", "b", "c"] as const;
const LABELS = ["x", "y", undefined] as const;

type Operation = { do: "put"; name: string; label: string | undefined } | { do: "delete"; name: string };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ do: fc.constant("put" as const), name: fc.constantFrom(...NAMES), label: fc.constantFrom(...LABELS) }),
  fc.record({ do: fc.constant("delete" as const), name: fc.constantFrom(...NAMES) }),
);

function apply(store: ObjectStore, step: Operation): void {
  const there = store.get("configmaps", "n", step.name) !== undefined;
  if (step.do === "delete") {
    if (there) deleteObject(store, "configmaps", "n", step.name, {});
    return;
  }
  const labels = step.label === undefined ? {} : { l: step.label };
  if (there) store.update("configmaps", "n", step.name, (draft) => void (draft.metadata.labels = labels));
  else store.create("configmaps", { metadata: { name: step.name, namespace: "n", labels } });
}

describe("watching", () => {
  test("a list and the events after it give the list of later, for every selector and moment", () => {
    const selector = fc.constantFrom("l=x", "l!=x", "l in (x,y)", "l", "!l", "l notin (y)", "");
    fc.assert(
      fc.property(fc.array(operation), fc.array(operation), selector, (before, after, text) => {
        const store = new ObjectStore(1000);
        const selects = parseSelectors(text, undefined);
        for (const step of before) apply(store, step);
        const known = new Map(
          store
            .list("configmaps")
            .filter(selects)
            .map((object) => [object.metadata.name, object]),
        );
        const since = store.resourceVersion;
        let newest = since;
        for (const step of after) apply(store, step);
        store.watch("configmaps", since, (change) => {
          const event = selectedEvent(change, selects);
          if (event === undefined) return;
          expect(Number(event.object.metadata.resourceVersion)).toBeGreaterThan(newest);
          newest = Number(event.object.metadata.resourceVersion);
          expect(known.has(event.object.metadata.name)).toBe(event.type !== "ADDED");
          if (event.type === "DELETED") known.delete(event.object.metadata.name);
          else known.set(event.object.metadata.name, event.object);
        });
        expect(Array.from(known.values()).sort(byName)).toEqual(store.list("configmaps").filter(selects));
      }),
    );
  });

  test("what is kept is told at once, then everything as it happens", () => {
    const store = new ObjectStore(10);
    const since = store.resourceVersion;
    apply(store, { do: "put", name: "a", label: "x" });
    const seen: Change[] = [];
    const stop = store.watch("configmaps", since, (change) => seen.push(change));
    apply(store, { do: "put", name: "a", label: "y" });
    apply(store, { do: "delete", name: "a" });
    stop();
    apply(store, { do: "put", name: "a", label: "x" });
    expect(seen.map(({ type }) => type)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
  });

  test("a change that changes nothing is none", () => {
    const store = new ObjectStore(10);
    apply(store, { do: "put", name: "a", label: "x" });
    const { resourceVersion } = store;
    apply(store, { do: "put", name: "a", label: "x" });
    expect(store.resourceVersion).toBe(resourceVersion);
  });

  test("a history that is too short answers 410 with the oldest resourceVersion", () => {
    const store = new ObjectStore(2);
    const since = store.resourceVersion;
    for (const label of ["x", "y", "x"]) apply(store, { do: "put", name: "a", label });
    expect(() => store.watch("configmaps", since, () => {})).toThrow(
      `too old resource version: ${since} (${since + 1})`,
    );
    expect(() => store.watch("configmaps", since + 1, () => {})).not.toThrow();
    store.compact();
    expect(() => store.watch("configmaps", since + 3, () => {})).toThrow("too old resource version");
  });
});

describe("deleting", () => {
  test("a finalizer holds an object back, and its removal lets it go", () => {
    const store = new ObjectStore(10);
    store.create("testruns", { metadata: { name: "t", namespace: "n", finalizers: ["a/b"] }, spec: {} });
    const marked = deleteObject(store, "testruns", "n", "t", {});
    expect(marked.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2, finalizers: ["a/b"] });
    const add = (draft: StoredObject): void => void (draft.metadata.finalizers = ["a/b", "c/d"]);
    expect(() => store.update("testruns", "n", "t", add)).toThrow("no new finalizers can be added");
    store.update("testruns", "n", "t", ({ metadata }) => void delete metadata.finalizers);
    expect(store.get("testruns", "n", "t")).toBeUndefined();
  });

  test("dependents go with their owner, but not with another one of its name", () => {
    const store = new ObjectStore(100);
    const create = (name: string): string =>
      store.create("testruns", { metadata: { name, namespace: "n" }, spec: {} }).metadata.uid;
    const own = (name: string, uid: string): void => {
      const ownerReferences = [{ apiVersion: "k6.io/v1alpha1", kind: "TestRun", name: "t", uid }];
      store.create("configmaps", { metadata: { name, namespace: "n", ownerReferences } });
    };
    const first = create("t");
    own("of-first", first);
    deleteObject(store, "testruns", "n", "t", { uid: first });
    const second = create("t");
    own("of-second", second);
    collectDependents(store, first);
    collectDependents(store, second);
    expect(store.list("configmaps").map(({ metadata }) => metadata.name)).toEqual(["of-second"]);
    expect(() => deleteObject(store, "testruns", "n", "t", { uid: first })).toThrow("the UID in the precondition");
  });
});

describe("selectors", () => {
  const object = (labels: Record<string, string>): StoredObject => ({
    metadata: { name: "p", namespace: "n", uid: "u", resourceVersion: "1", creationTimestamp: "", labels },
  });

  test.each([
    ["app=k6,k6_cr==t", { app: "k6", k6_cr: "t" }, true],
    ["app=k6,k6_cr==t", { app: "k6" }, false],
    ["app!=k6", {}, true],
    ["app in (k6, other),runner", { app: "other", runner: "true" }, true],
    ["app notin (k6)", { app: "k6" }, false],
    ["!runner", { runner: "true" }, false],
    ["tailrace.dev/step=a-b", { "tailrace.dev/step": "a-b" }, true],
  ])("%s", (selector, labels, expected) => {
    expect(parseSelectors(selector, undefined)(object(labels as Record<string, string>))).toBe(expected);
  });

  test("fields", () => {
    expect(parseSelectors(undefined, "metadata.name=p")(object({}))).toBe(true);
    expect(parseSelectors(undefined, "metadata.name!=p")(object({}))).toBe(false);
    expect(() => parseSelectors(undefined, "foo=bar")).toThrow("field label not supported: foo");
    expect(() => parseSelectors("a b c", undefined)).toThrow(
      "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    );
  });
});

function byName(a: StoredObject, b: StoredObject): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
