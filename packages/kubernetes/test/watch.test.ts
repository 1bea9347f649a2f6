import type { Cluster, ClusterView } from "@tailrace/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCluster } from "../src/cluster.ts";
import type { WatchSettings } from "../src/watch/settings.ts";
import { ApiServer, type Kind, ownedObject, testRunObject } from "./support/api-server.ts";
import { recordingLogger } from "./support/logger.ts";
import { kubeConfigFor, sendJson, sendStatus } from "./support/server.ts";

const KINDS: Kind[] = ["testruns", "jobs", "pods"];

let api: ApiServer;
let clusters: Cluster[];

beforeEach(async () => {
  api = await ApiServer.start();
  clusters = [];
});

afterEach(async () => {
  for (const cluster of clusters) await cluster.close();
  await api[Symbol.asyncDispose]();
});

function open(watch: Partial<WatchSettings> = {}, log = recordingLogger()): ClusterView {
  const settings = { backoffMs: 5, maxBackoffMs: 20, ...watch };
  const cluster = openCluster({ kubeConfig: kubeConfigFor(api.http.url), namespace: "ns", watch: settings, log });
  clusters.push(cluster);
  return cluster.watch();
}

/** Resolves when the condition holds, which is looked at after each change. */
function until(view: ClusterView, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!condition()) return;
      stop();
      resolve();
    };
    const stop = view.onChange(look);
    look();
  });
}

/** For what the server sees. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const connected = (view: ClusterView) =>
  until(view, () => view.synced && view.problem === null && api.watches.size === 3);
const stageOf = (view: ClusterView, name: string) => view.observe(name).testRun?.status?.stage;
const podsOf = (view: ClusterView, name: string) => view.observe(name).pods.map(({ metadata }) => metadata.name);

describe("following", () => {
  test("lists and watches each kind once, and tells of each change", async () => {
    api.put("testruns", testRunObject("t", "T", "created"));
    api.put("jobs", ownedObject("t-1", "J", "t", "T"));
    const view = open();
    expect(view.synced).toBe(false);
    expect(view.problem).toMatch(/not connected/);
    await connected(view);
    expect(stageOf(view, "t")).toBe("created");

    const told: (string | null)[] = [];
    const stop = view.onChange((name) => told.push(name));
    api.put("pods", ownedObject("t-1-abcde", "P", "t", "J"));
    await until(view, () => podsOf(view, "t").length === 1);
    api.put("testruns", testRunObject("t", "T", "started"));
    await until(view, () => stageOf(view, "t") === "started");
    api.delete("pods", "P");
    await until(view, () => podsOf(view, "t").length === 0);
    expect(told).toEqual(["t", "t", "t"]);
    stop();

    for (const kind of KINDS) expect([api.count(kind, "list"), api.count(kind, "watch")]).toEqual([1, 1]);
    const paths = api.http.requests.filter(({ query }) => query.has("watch")).map(({ path }) => path);
    expect(paths.toSorted()).toEqual([
      "/api/v1/namespaces/ns/pods",
      "/apis/batch/v1/namespaces/ns/jobs",
      "/apis/k6.io/v1alpha1/namespaces/ns/testruns",
    ]);
    for (const { path, query } of api.http.requests) {
      expect(query.get("labelSelector")).toBe(path.endsWith("testruns") ? null : "app=k6");
      if (!query.has("watch")) continue;
      expect(query.get("allowWatchBookmarks")).toBe("true");
      expect(Number(query.get("timeoutSeconds"))).toBeGreaterThanOrEqual(240);
      expect(Number(query.get("timeoutSeconds"))).toBeLessThanOrEqual(360);
    }
  });

  test("reads every page of a list", async () => {
    for (let n = 1; n <= 7; n += 1) api.put("testruns", testRunObject(`t${n}`, `T${n}`, "started"));
    api.pageSize = 3;
    const view = open();
    await connected(view);
    expect([1, 2, 3, 4, 5, 6, 7].map((n) => stageOf(view, `t${n}`))).toEqual(Array(7).fill("started"));
    expect(api.count("testruns", "list")).toBe(3);
  });

  test("joins events that arrive in pieces, cut inside a character", async () => {
    const view = open();
    await connected(view);
    const object = { ...testRunObject("t", "T", "größer"), metadata: { name: "t", uid: "T", resourceVersion: "900" } };
    const bytes = Buffer.from(`${JSON.stringify({ type: "ADDED", object })}\n`);
    const inside = bytes.indexOf(0xc3) + 1;
    for (const part of [bytes.subarray(0, 10), bytes.subarray(10, inside), bytes.subarray(inside)]) {
      api.write("testruns", part);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(view, () => stageOf(view, "t") === "größer");
    expect(api.count("testruns", "watch")).toBe(1);
  });

  test("a listener that throws harms nobody else", async () => {
    const log = recordingLogger();
    const view = open({}, log);
    await connected(view);
    view.onChange(() => {
      throw new Error("listener");
    });
    api.put("testruns", testRunObject("t", "T", "started"));
    await until(view, () => stageOf(view, "t") === "started");
    expect(log.entries.filter(({ level }) => level === "error")).toHaveLength(1);
    expect(api.count("testruns", "watch")).toBe(1);
  });
});

describe("a watch that ends", () => {
  test("cleanly, after bookmarks: goes on at the last of them, without a list", async () => {
    const view = open();
    await connected(view);
    api.put("testruns", testRunObject("t", "T", "created"));
    await until(view, () => stageOf(view, "t") === "created");
    api.bookmark("testruns");
    const version = api.version;
    const problems: (string | null)[] = [];
    view.onChange((name) => name === null && problems.push(view.problem));
    api.end("testruns", "clean");
    await eventually(() => api.count("testruns", "watch") === 2 && api.watches.size === 3);
    expect(api.http.requests.at(-1)!.query.get("resourceVersion")).toBe(version);
    api.put("testruns", testRunObject("t", "T", "started"));
    await until(view, () => stageOf(view, "t") === "started");
    expect(api.count("testruns", "list")).toBe(1);
    expect(problems).toEqual([]);
  });

  test("by a reset: says so, connects again and misses nothing", async () => {
    const view = open();
    await connected(view);
    const problems: (string | null)[] = [];
    view.onChange((name) => name === null && problems.push(view.problem));
    api.end("pods", "reset");
    api.put("testruns", testRunObject("t", "T"));
    api.put("jobs", ownedObject("t-1", "J", "t", "T"));
    api.put("pods", ownedObject("t-1-abcde", "P", "t", "J"));
    await until(view, () => podsOf(view, "t").length === 1 && view.problem === null);
    expect(problems[0]).toMatch(/pods/);
    expect(problems.at(-1)).toBeNull();
    expect(view.synced).toBe(true);
    expect(api.count("pods", "list")).toBe(1);
  });

  test.each(["clean", "reset"] as const)("%s, inside an event: that event is not lost", async (how) => {
    const view = open();
    await connected(view);
    api.write("testruns", '{"type":"ADDED","object":{"metadata":{"name":"t"');
    api.end("testruns", how);
    api.put("testruns", testRunObject("t", "T", "started"));
    await until(view, () => stageOf(view, "t") === "started" && view.problem === null);
    expect(api.count("testruns", "list")).toBe(1);
  });

  test("in silence: is opened again, and that is no problem", async () => {
    const view = open({ inactivityMs: 1100 });
    await connected(view);
    const problems: (string | null)[] = [];
    view.onChange((name) => name === null && problems.push(view.problem));
    await eventually(() => api.count("testruns", "watch") === 2);
    api.put("testruns", testRunObject("t", "T", "started"));
    await until(view, () => stageOf(view, "t") === "started");
    expect(problems).toEqual([]);
    expect(api.count("testruns", "list")).toBe(1);
  });

  test("not in silence while bookmarks come", async () => {
    const view = open({ inactivityMs: 200 });
    await connected(view);
    for (let n = 0; n < 12; n += 1) {
      for (const kind of KINDS) api.bookmark(kind);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    for (const kind of KINDS) expect(api.count(kind, "watch")).toBe(1);
  });
});

describe("a resource version that is too old", () => {
  test.each(["status", "event"] as const)("as %s: lists again, and what is gone is told", async (form) => {
    api.put("testruns", testRunObject("gone", "G", "started"));
    api.put("testruns", testRunObject("kept", "K", "started"));
    const view = open();
    await connected(view);
    const told: (string | null)[] = [];
    view.onChange((name) => told.push(name));

    api.forget("testruns", "G");
    if (form === "status") api.end("testruns", "clean");
    else api.write("testruns", expired());
    await until(view, () => view.observe("gone").testRun === null);
    expect(stageOf(view, "kept")).toBe("started");
    expect(told).toContain("gone");
    expect(told).not.toContain("kept");
    expect(api.count("testruns", "list")).toBeGreaterThanOrEqual(2);
    api.put("testruns", testRunObject("kept", "K", "finished"));
    await until(view, () => stageOf(view, "kept") === "finished");
  });

  test("for ever: waits longer and longer, and says so", async () => {
    const view = open({ backoffMs: 40, maxBackoffMs: 400 });
    await connected(view);
    api.intercept = ({ path, query }, response) => {
      if (!path.endsWith("testruns") || !query.has("watch")) return false;
      sendStatus(response, 410, "Expired", "too old resource version");
      return true;
    };
    const before = api.count("testruns", "watch");
    api.end("testruns", "reset");
    await until(view, () => /too old/.test(view.problem ?? ""));
    const started = performance.now();
    await eventually(() => api.count("testruns", "watch") >= before + 5);
    expect(performance.now() - started).toBeGreaterThan(200);
    expect(api.count("testruns", "watch")).toBeLessThan(before + 8);
  });
});

describe("errors", () => {
  test.each([
    [401, "Unauthorized"],
    [403, "Forbidden"],
    [429, "TooManyRequests"],
    [500, "InternalError"],
  ])("%d on list and watch: the known is kept, the problem is named, and it recovers", async (status, reason) => {
    api.put("testruns", testRunObject("t", "T", "started"));
    const view = open();
    await connected(view);
    api.intercept = (_, response) => {
      sendStatus(response, status, reason, `because of ${status}`);
      return true;
    };
    for (const kind of KINDS) api.end(kind, "reset");
    await until(view, () => new RegExp(`because of ${status}`).test(view.problem ?? ""));
    const requests = api.http.requests.length;
    await eventually(() => api.http.requests.length > requests + 12);
    expect(stageOf(view, "t")).toBe("started");
    expect(view.synced).toBe(true);
    api.intercept = () => false;
    api.put("testruns", testRunObject("t", "T", "finished"));
    await until(view, () => stageOf(view, "t") === "finished" && view.problem === null);
  });

  test("a list that breaks in the middle of its pages removes nothing", async () => {
    for (let n = 1; n <= 4; n += 1) api.put("testruns", testRunObject(`t${n}`, `T${n}`, "started"));
    api.pageSize = 2;
    const view = open();
    await connected(view);
    api.compact();
    let broken = 0;
    api.intercept = ({ path, query }, response) => {
      if (!path.endsWith("testruns") || !query.has("continue")) return false;
      broken += 1;
      response.writeHead(200).write('{"items":[', () => response.destroy());
      return true;
    };
    api.end("testruns", "reset");
    await eventually(() => broken >= 3);
    expect([1, 2, 3, 4].map((n) => stageOf(view, `t${n}`))).toEqual(Array(4).fill("started"));
    api.intercept = () => false;
    api.delete("testruns", "T3");
    await until(view, () => view.observe("t3").testRun === null && view.problem === null);
  });

  test("a server that is not there yet", async () => {
    api.intercept = (_, response) => {
      response.destroy();
      return true;
    };
    const view = open();
    await until(view, () => /GET/.test(view.problem ?? ""));
    expect(view.synced).toBe(false);
    api.intercept = () => false;
    await connected(view);
  });

  test("a list that is no list", async () => {
    api.intercept = (_, response) => {
      sendJson(response, 200, { items: [{ metadata: {} }], metadata: { resourceVersion: "1" } });
      return true;
    };
    const view = open();
    await until(view, () => /not a list/.test(view.problem ?? ""));
    expect(view.synced).toBe(false);
  });

  test("an event of unknown form makes it list again", async () => {
    const view = open();
    await connected(view);
    api.write("jobs", '{"type":"SURPRISE","object":{}}\n');
    await eventually(() => api.count("jobs", "list") === 2);
    await until(view, () => view.problem === null);
  });

  test("a 401 in the middle: the credentials are read again", async () => {
    let token = "first";
    const log = recordingLogger();
    const kubeConfig = () => kubeConfigFor(api.http.url, token);
    const cluster = openCluster({
      kubeConfig,
      namespace: "ns",
      watch: { backoffMs: 60_000, maxBackoffMs: 60_000 },
      log,
    });
    clusters.push(cluster);
    const view = cluster.watch();
    await connected(view);
    token = "second";
    api.intercept = ({ headers }, response) => {
      if (headers.authorization === "Bearer second") return false;
      sendStatus(response, 401, "Unauthorized");
      return true;
    };
    api.bookmark("testruns");
    api.end("testruns", "clean");
    await eventually(() => api.http.requests.at(-1)!.headers.authorization === "Bearer second");
    api.put("testruns", testRunObject("t", "T", "started"));
    await until(view, () => stageOf(view, "t") === "started");
    expect(view.problem).toBeNull();
  });
});

describe("the periodic list", () => {
  test("finds what the watch did not tell", async () => {
    api.put("testruns", testRunObject("t", "T", "started"));
    const view = open({ relistMs: 300 });
    await connected(view);
    api.forget("testruns", "T");
    await until(view, () => view.observe("t").testRun === null);
    expect(view.problem).toBeNull();
    expect(api.count("testruns", "list")).toBeGreaterThanOrEqual(2);
  });
});

describe("close", () => {
  test("ends the watches, twice is once, and nothing is asked afterwards", async () => {
    const view = open();
    await connected(view);
    await Promise.all([view.close(), view.close()]);
    await eventually(() => api.watches.size === 0);
    const requests = api.http.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(api.http.requests).toHaveLength(requests);
  });

  test("while it waits to try again", async () => {
    api.intercept = (_, response) => {
      sendStatus(response, 503, "ServiceUnavailable");
      return true;
    };
    const view = open({ backoffMs: 60_000, maxBackoffMs: 60_000 });
    await until(view, () => /503/.test(view.problem ?? ""));
    await view.close();
  });
});

function expired(): string {
  const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
  return `${JSON.stringify({ type: "ERROR", object })}\n`;
}
