import { once } from "node:events";
import {
  type ContainerRef,
  isTailraceError,
  parseContainerLogs,
  type PodObject,
  testRunContainers,
} from "@tailrace/core";
import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { openCluster } from "../src/cluster.ts";
import { getK6TestRunLogs, readContainers, readContainerSections } from "../src/index.ts";
import { recordingLogger } from "./support/logger.ts";
import {
  kubeConfigFor,
  never,
  type Received,
  sendJson,
  sendStatus,
  startServer,
  type TestServer,
} from "./support/server.ts";

const NAME = "init-container";
const folder = new URL("fixtures/init-container/", import.meta.url);

interface List {
  metadata: { resourceVersion: string };
  items: PodObject[];
}

function recordedList(kind: "pods" | "jobs" | "testruns"): List {
  return JSON.parse(readFileSync(new URL(`final/${kind}.json`, folder), "utf8")) as List;
}

const LOGS = new Map(
  readdirSync(new URL("logs", folder)).map((file) => [
    file.replace(/\.log$/, ""),
    readFileSync(new URL(`logs/${file}`, folder)),
  ]),
);

const disposers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const dispose of disposers.splice(0)) await dispose();
});

/** The API server as it was at the end of the recording; `intercept` answers instead. */
async function recordedCluster(intercept: (request: Received, response: ServerResponse) => boolean = () => false) {
  const lists = { pods: recordedList("pods"), jobs: recordedList("jobs"), testruns: recordedList("testruns") };
  const server = await startServer((request, response) => {
    if (intercept(request, response)) return;
    const [, resource, name, sub] = /\/namespaces\/ns\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(request.path) ?? [];
    if (sub === "log") {
      const log = LOGS.get(`${name}_${request.query.get("container")}`);
      if (log === undefined)
        return sendStatus(response, 404, "NotFound", `pods "${name}" not found`, { kind: "pods", name });
      response.writeHead(200, { "content-type": "text/plain" }).end(log);
      return;
    }
    const list = lists[resource as keyof typeof lists];
    if (name === undefined) return sendJson(response, 200, list);
    const found = list.items.find(({ metadata }) => metadata.name === name);
    if (found === undefined) return sendStatus(response, 404, "NotFound");
    sendJson(response, 200, found);
  });
  const log = recordingLogger();
  const cluster = openCluster({ kubeConfig: kubeConfigFor(server.url), namespace: "ns", log });
  disposers.push(async () => {
    await cluster.close();
    await server[Symbol.asyncDispose]();
  });
  return { server, cluster, log, lists };
}

const logRequests = (server: TestServer): Received[] => server.requests.filter(({ path }) => path.endsWith("/log"));
const titles = (text: string): string[] => text.split("\n").filter((line) => line.startsWith("=== Container: "));

/** What the container wrote, from the recording itself. */
function written(pod: string, container: string): string[] {
  const lines = LOGS.get(`${pod}_${container}`)!.toString("utf8").replace(/\n$/, "").split("\n");
  return lines.map((line) => line.slice(line.indexOf(" ") + 1));
}

describe("getK6TestRunLogs", () => {
  test("has every container of the recording, init containers too, in order, with all that it wrote", async () => {
    const { cluster, server, log } = await recordedCluster();
    const text = await getK6TestRunLogs(NAME, 1000, { cluster, log });
    const sections = parseContainerLogs(text);
    const roles = sections.map(({ pod, container }) => `${pod.replace(/-[a-z0-9]{5}$/, "")}/${container ?? ""}`);
    expect(roles).toEqual([
      `${NAME}-initializer/prepare`,
      `${NAME}-initializer/k6`,
      `${NAME}-starter/`,
      `${NAME}-1/prepare`,
      `${NAME}-1/k6`,
      `${NAME}-2/prepare`,
      `${NAME}-2/k6`,
    ]);
    for (const section of sections) {
      expect(section.state).toBe("log");
      expect(section.lines).toEqual(written(section.pod, section.container ?? "k6-curl"));
    }
    expect(log.entries).toEqual([]);
    expect(server.connections).toBeLessThanOrEqual(12);
  });

  test("gives at most 100 lines of each unless told otherwise", async () => {
    const { cluster, server } = await recordedCluster();
    const sections = parseContainerLogs(await getK6TestRunLogs(NAME, 2, { cluster }));
    for (const { pod, container, lines } of sections)
      expect(lines).toEqual(written(pod, container ?? "k6-curl").slice(-2));
    const before = server.requests.length;
    await getK6TestRunLogs(NAME, undefined, { cluster });
    const asked = server.requests.slice(before).filter(({ path }) => path.endsWith("/log"));
    // One more than wanted, since the first may be the rest of a longer line.
    expect(new Set(asked.map(({ query }) => query.get("tailLines")))).toEqual(new Set(["101"]));
  });

  test("a container that can't be read is an (ERROR) section and a warning; the others are whole", async () => {
    const pod = recordedList("pods").items.find(({ metadata }) => metadata.name.startsWith(`${NAME}-2-`))!.metadata
      .name;
    const { cluster, log, server } = await recordedCluster(({ path, query }, response) => {
      if (!path.endsWith(`/${pod}/log`) || query.get("container") !== "k6") return false;
      sendStatus(response, 403, "Forbidden", "not allowed");
      return true;
    });
    const text = await getK6TestRunLogs(NAME, 1000, { cluster, log });
    expect(text).toContain(`\n\n=== Container: ${pod}/k6 (ERROR) ===\nHTTP 403: not allowed\n`);
    expect(titles(text)).toHaveLength(7);
    expect(titles(text).filter((title) => title.includes("(ERROR)"))).toHaveLength(1);
    expect(log.entries).toEqual([
      {
        level: "warn",
        details: { pod, container: "k6", reason: "HTTP 403: not allowed" },
        message: "a container's log could not be read",
      },
    ]);
    expect(logRequests(server)).toHaveLength(7);

    const warned = once(process, "warning");
    await getK6TestRunLogs(NAME, 1000, { cluster });
    const [warning] = (await warned) as [Error];
    expect(warning.name).toBe("TailraceWarning");
    expect(warning.message).toContain(pod);
  });

  test("pods of a former TestRun of the same name are left out", async () => {
    const { cluster, lists } = await recordedCluster();
    lists.testruns.items[0]!.metadata.uid = "another";
    expect(await getK6TestRunLogs(NAME, 10, { cluster })).toBe("");
  });

  test("pods outlive their TestRun", async () => {
    const { cluster, lists } = await recordedCluster();
    lists.testruns.items = [];
    expect(titles(await getK6TestRunLogs(NAME, 10, { cluster }))).toHaveLength(7);
  });

  test("a TestRun without pods is empty, no TestRun at all is NOT_FOUND", async () => {
    const { cluster, lists } = await recordedCluster();
    lists.pods.items = [];
    expect(await getK6TestRunLogs(NAME, 10, { cluster })).toBe("");
    lists.testruns.items = [];
    const error: unknown = await getK6TestRunLogs(NAME, 10, { cluster }).catch((reason: unknown) => reason);
    expect(isTailraceError(error, "NOT_FOUND")).toBe(true);
    expect(error).toHaveProperty("message", `there is no TestRun "${NAME}" in namespace "ns"`);
  });

  test("a list that fails for a passing reason is asked for again, another failure is thrown", async () => {
    let failures = 0;
    const { cluster } = await recordedCluster(({ path }, response) => {
      if (!path.endsWith("/pods") || failures === 2) return false;
      failures += 1;
      if (failures === 1) response.destroy();
      else sendStatus(response, 503, "ServiceUnavailable");
      return true;
    });
    expect(titles(await getK6TestRunLogs(NAME, 10, { cluster }))).toHaveLength(7);
    expect(failures).toBe(2);

    const forbidden = await recordedCluster((_, response) => {
      sendStatus(response, 403, "Forbidden");
      return true;
    });
    await expect(getK6TestRunLogs(NAME, 10, { cluster: forbidden.cluster })).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(forbidden.server.requests).toHaveLength(1);
  });

  test.each<[unknown, unknown, RegExp]>([
    ["", 10, /^testRunName must be/],
    ["Upper", 10, /^testRunName must be/],
    ["a".repeat(64), 10, /^testRunName must be/],
    ["a,app=b", 10, /^testRunName must be/],
    [undefined, 10, /^testRunName must be/],
    ["t", 0, /^tailLines must be an integer from 1 to 100000$/],
    ["t", 100_001, /^tailLines/],
    ["t", 1.5, /^tailLines/],
    ["t", Number.NaN, /^tailLines/],
    ["t", "10", /^tailLines/],
    ["", 0, /^testRunName .*; tailLines /],
  ])("%j with %j lines is BAD_REQUEST, and nothing is asked", async (name, lines, message) => {
    const { cluster, server } = await recordedCluster();
    const error: unknown = await getK6TestRunLogs(name as string, lines as number, { cluster }).catch(
      (reason: unknown) => reason,
    );
    expect(isTailraceError(error, "BAD_REQUEST")).toBe(true);
    expect((error as Error).message).toMatch(message);
    expect(server.requests).toEqual([]);
  });
});

describe("readContainers", () => {
  const quick = { backoffMs: 1 };
  const refs = (): ContainerRef[] => testRunContainers(NAME, recordedList("pods").items);

  test.each<[string, (response: ServerResponse) => void]>([
    ["a cut connection", (response) => response.writeHead(200).write("2026", () => response.destroy())],
    ["429", (response) => sendStatus(response, 429, "TooManyRequests")],
    ["500", (response) => sendStatus(response, 500, "InternalError")],
    ["401", (response) => sendStatus(response, 401, "Unauthorized")],
    [
      "a pod that the kubelet does not know yet",
      (response) =>
        sendStatus(response, 404, "NotFound", "the server could not find the requested resource ( pods/log p)"),
    ],
  ])("asks again after %s, at most three times", async (_name, act) => {
    const [ref] = refs();
    let failures = 2;
    const { cluster, server, log } = await recordedCluster((_, response) => {
      if (failures === 0) return false;
      failures -= 1;
      act(response);
      return true;
    });
    const options = { cluster, containers: [ref!], tailLines: 10, signal: never(), log, retry: quick };
    const [read] = await readContainers(options);
    expect(read!.read.kind).toBe("log");
    expect(logRequests(server)).toHaveLength(3);
    expect(log.entries).toEqual([]);

    failures = Infinity;
    const [failed] = await readContainers(options);
    expect(failed!.read.kind).toBe("retry");
    expect(logRequests(server)).toHaveLength(6);
    expect(log.entries.map(({ level }) => level)).toEqual(["warn"]);
  });

  test("a container that has not started is a (WAITING) section, asked for once, without a warning", async () => {
    const [ref] = refs();
    const { cluster, server, log } = await recordedCluster((_, response) => {
      sendStatus(response, 400, "BadRequest", 'container "k6" in pod "p" is waiting to start: ContainerCreating');
      return true;
    });
    const [section] = await readContainerSections({ cluster, containers: [ref!], tailLines: 10, signal: never(), log });
    expect(section).toMatchObject({ state: "waiting", reason: "ContainerCreating", lines: [] });
    expect(logRequests(server)).toHaveLength(1);
    expect(log.entries).toEqual([]);
  });

  test("what the kubelet says instead of a log is no log", async () => {
    const [ref] = refs();
    const { cluster, log } = await recordedCluster((_, response) => {
      response
        .writeHead(200, { "content-type": "text/plain" })
        .end("unable to retrieve container logs for containerd://1");
      return true;
    });
    const [section] = await readContainerSections({ cluster, containers: [ref!], tailLines: 10, signal: never(), log });
    expect(section).toMatchObject({
      state: "error",
      reason: "unable to retrieve container logs for containerd://1",
      lines: [],
    });
    expect(log.entries).toHaveLength(1);
  });

  test("reads so many at once and no more, and keeps their order", async () => {
    const waiting: (() => void)[] = [];
    let most = 0;
    const { cluster } = await recordedCluster((_, response) => {
      waiting.push(() =>
        sendStatus(response, 400, "BadRequest", 'container "c" in pod "p" is waiting to start: PodInitializing'),
      );
      most = Math.max(most, waiting.length);
      setTimeout(() => waiting.shift()!(), 5);
      return true;
    });
    const containers = Array.from({ length: 10 }, (_, n): ContainerRef => ({ ...refs()[0]!, pod: `p${n}` }));
    const reads = await readContainers({ cluster, containers, tailLines: 1, signal: never(), concurrency: 3 });
    expect(most).toBe(3);
    expect(reads.map(({ ref }) => ref.pod)).toEqual(containers.map(({ pod }) => pod));
  });

  test("rejects when the signal aborts", async () => {
    const controller = new AbortController();
    const { cluster } = await recordedCluster(() => {
      controller.abort(new Error("enough"));
      return true;
    });
    const reading = readContainers({ cluster, containers: refs(), tailLines: 1, signal: controller.signal });
    await expect(reading).rejects.toThrow("enough");
  });
});
