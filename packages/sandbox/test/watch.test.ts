import { afterEach, beforeEach, expect, test } from "vitest";
import { configMap, CORE, openSandbox, until, watch, type TestSandbox } from "./support.ts";

let there: TestSandbox;
beforeEach(async () => void (there = await openSandbox({ bookmarkMs: 40 })));
afterEach(() => there[Symbol.asyncDispose]());

const PATH = `${CORE}/configmaps`;
const version = async (): Promise<string> => (await there.send("GET", PATH)).body.metadata.resourceVersion as string;
const create = (name: string, labels = {}): Promise<unknown> =>
  there.send("POST", PATH, { ...configMap(name, {}), metadata: { name, labels } });

test("an object that leaves the selection is deleted from it, with its last selected state", async () => {
  const seen = await watch(there, PATH, `labelSelector=a%3Db&resourceVersion=${await version()}`);
  await create("c", { a: "b" });
  await there.send("PATCH", `${PATH}/c`, { metadata: { labels: { a: "x" } } });
  await there.send("PATCH", `${PATH}/c`, { metadata: { labels: { a: "b" } } });
  await there.send("DELETE", `${PATH}/c`);
  await until("four events", () => seen.events.length >= 4);
  seen.stop();
  expect(seen.events.map(({ type, object }) => [type, object.metadata.labels.a])).toEqual([
    ["ADDED", "b"],
    ["DELETED", "b"],
    ["ADDED", "b"],
    ["DELETED", "b"],
  ]);
  expect(seen.events[0]!.object).toMatchObject({ kind: "ConfigMap", apiVersion: "v1" });
  const versions = seen.events.map(({ object }) => Number(object.metadata.resourceVersion));
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
});

test("without a resourceVersion it begins with what is there", async () => {
  await create("c");
  const seen = await watch(there, PATH, "");
  await until("the event", () => seen.events.length === 1);
  seen.stop();
  expect(seen.events[0]).toMatchObject({ type: "ADDED", object: { metadata: { name: "c" } } });
});

test("bookmarks tell the newest resourceVersion, of other kinds too", async () => {
  const seen = await watch(there, `${CORE}/pods`, `allowWatchBookmarks=true&resourceVersion=${await version()}`);
  await create("c");
  const newest = await version();
  const bookmark = await until("a bookmark", () =>
    seen.events.find(({ object }) => object.metadata.resourceVersion === newest),
  );
  seen.stop();
  expect(bookmark).toEqual({
    type: "BOOKMARK",
    object: { kind: "Pod", apiVersion: "v1", metadata: { resourceVersion: newest } },
  });
});

test("a resourceVersion that is too old is answered inside the stream", async () => {
  const old = await version();
  there.sandbox.faults.compactWatchHistory();
  const seen = await watch(there, PATH, `resourceVersion=${old}`);
  expect(await seen.ended).toBe("clean");
  expect(seen.events).toEqual([
    {
      type: "ERROR",
      object: {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: expect.stringMatching(`^too old resource version: ${old} \\(\\d+\\)$`),
        reason: "Expired",
        code: 410,
      },
    },
  ]);
});

test("a watch ends cleanly at its time, and in the middle when connections are cut", async () => {
  const timed = await watch(there, PATH, "timeoutSeconds=1");
  const cut = await watch(there, PATH, "");
  expect(await timed.ended).toBe("clean");
  there.sandbox.faults.cutConnections();
  expect(await cut.ended).toBe("cut");
});

test("faults meet the requests they are for, then are over", async () => {
  there.sandbox.faults.fail({ method: "GET", path: /\/configmaps/, answer: 429, retryAfter: 3, count: 2 });
  const headers = { authorization: `Bearer ${there.sandbox.token}` };
  expect((await there.send("GET", `${CORE}/pods`)).status).toBe(200);
  const refused = await fetch(there.sandbox.url + PATH, { headers });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"]);
  expect((await there.send("GET", PATH)).body).toMatchObject({
    reason: "TooManyRequests",
    details: { retryAfterSeconds: 3 },
  });
  expect((await there.send("GET", PATH)).status).toBe(200);
  there.sandbox.faults.fail({ answer: "reset" });
  await expect(there.send("GET", PATH)).rejects.toThrow("fetch failed");
  there.sandbox.faults.fail({ answer: 503 });
  there.sandbox.faults.clear();
  expect((await there.send("GET", PATH)).status).toBe(200);
});

test("the API stops and comes back on its port, with its objects and without its history", async () => {
  await create("kept");
  const old = await version();
  await there.sandbox.faults.stopApi();
  await expect(there.send("GET", PATH)).rejects.toThrow("fetch failed");
  await there.sandbox.faults.startApi();
  expect((await there.send("GET", `${PATH}/kept`)).status).toBe(200);
  const seen = await watch(there, PATH, `resourceVersion=${old}`);
  await seen.ended;
  expect(seen.events[0]).toMatchObject({ type: "ERROR", object: { code: 410 } });
});

test("requests are told before they are answered", async () => {
  const told: object[] = [];
  await using other = await openSandbox({ requestLog: (entry) => told.push(entry) });
  await other.send("GET", `${CORE}/pods?limit=1`);
  expect(told).toEqual([{ port: "api", method: "GET", path: `${CORE}/pods`, query: "limit=1" }]);
});
