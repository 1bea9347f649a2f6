import { type Cluster, ClusterError, type PodObject, type TestRunManifest } from "@tailrace/core";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { openCluster } from "../src/cluster.ts";
import { silentLogger } from "../src/log.ts";
import { hasEnded } from "../src/stop-runner.ts";
import {
  type Handler,
  kubeConfigFor,
  never,
  sendJson,
  sendStatus,
  startServer,
  type TestServer,
} from "./support/server.ts";

const opened: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function serve(handle: Handler, requestTimeoutMs = 5000): Promise<{ server: TestServer; cluster: Cluster }> {
  const server = await startServer(handle);
  const cluster = openCluster({
    kubeConfig: kubeConfigFor(server.url),
    namespace: "ns",
    requestTimeoutMs,
    log: silentLogger,
  });
  opened.push(async () => {
    await cluster.close();
    await server[Symbol.asyncDispose]();
  });
  return { server, cluster };
}

const asked = (server: TestServer): string[] => server.requests.map(({ method, path }) => `${method} ${path}`);

const TESTRUN: TestRunManifest = {
  apiVersion: "k6.io/v1alpha1",
  kind: "TestRun",
  metadata: { name: "t", labels: { a: "b" } },
  spec: { parallelism: 2, runner: { env: [{ name: "X", value: "2026-01-01T00:00:00Z" }] } },
};
const CONFIG_MAP = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "t", labels: { a: "b" } },
  data: { "script.js": "export default () => {}" },
} as const;

describe("objects", () => {
  test("are created as they are given", async () => {
    const { server, cluster } = await serve(({ body }, response) => {
      const { metadata, ...rest } = JSON.parse(body) as TestRunManifest;
      sendJson(response, 201, { ...rest, metadata: { ...metadata, uid: "u", managedFields: [{}] } });
    });
    await cluster.createConfigMap(CONFIG_MAP, never());
    const created = await cluster.createTestRun(TESTRUN, never());
    expect(created).toEqual({ ...TESTRUN, metadata: { ...TESTRUN.metadata, uid: "u" } });
    expect(asked(server)).toEqual([
      "POST /api/v1/namespaces/ns/configmaps",
      "POST /apis/k6.io/v1alpha1/namespaces/ns/testruns",
    ]);
    expect(server.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([CONFIG_MAP, TESTRUN]);
  });

  test("that exist already are an error of their own", async () => {
    const { cluster } = await serve((_, response) => sendStatus(response, 409, "AlreadyExists"));
    await expect(cluster.createConfigMap(CONFIG_MAP, never())).rejects.toMatchObject({ code: "already_exists" });
    await expect(cluster.createTestRun(TESTRUN, never())).rejects.toMatchObject({
      code: "already_exists",
      status: 409,
    });
  });

  test("that are absent: null, and deleting them is success", async () => {
    const { cluster } = await serve((_, response) => sendStatus(response, 404, "NotFound"));
    expect(await cluster.getTestRun("t", never())).toBeNull();
    await cluster.deleteConfigMap("t", "u", never());
    await cluster.deleteTestRun("t", "u", never());
  });

  test("an answer that is not JSON is a ClusterError", async () => {
    const { cluster } = await serve((_, response) => void response.writeHead(200).end("<html>"));
    const calls = [
      () => cluster.getTestRun("t", never()),
      () => cluster.createTestRun(TESTRUN, never()),
      () => cluster.listPods("t", never()),
    ];
    for (const call of calls) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ClusterError);
      expect(error).toMatchObject({ code: "server_error" });
    }
  });

  test("are listed by label with their times as they are, all pages", async () => {
    const pod = (name: string) => ({ metadata: { name, uid: name, creationTimestamp: "2026-11-23T16:16:12Z" } });
    const { server, cluster } = await serve(({ query }, response) => {
      const second = query.get("continue") === "next";
      const metadata = { resourceVersion: "5", continue: second ? "" : "next" };
      sendJson(response, 200, { metadata, items: [pod(second ? "p2" : "p1")] });
    });
    expect(await cluster.listPods("t", never())).toEqual([pod("p1"), pod("p2")]);
    await cluster.listJobs("t", never());
    expect(asked(server).slice(1, 3)).toEqual([
      "GET /api/v1/namespaces/ns/pods",
      "GET /apis/batch/v1/namespaces/ns/jobs",
    ]);
    expect(server.requests.map(({ query }) => query.get("labelSelector"))).toEqual(Array(4).fill("k6_cr=t"));
  });

  test("names go into the path encoded", async () => {
    const { server, cluster } = await serve((_, response) => sendStatus(response, 404, "NotFound"));
    await cluster.getTestRun("../../pods", never());
    await cluster.readPodLog({ pod: "../x", container: "c&d", tailLines: 1, maxBytes: 10 }, never());
    expect(asked(server)).toEqual([
      "GET /apis/k6.io/v1alpha1/namespaces/ns/testruns/..%2F..%2Fpods",
      "GET /api/v1/namespaces/ns/pods/..%2Fx/log",
    ]);
    expect(server.requests[1]!.query.get("container")).toBe("c&d");
  });

  test("all calls share one connection", async () => {
    const { server, cluster } = await serve((_, response) =>
      sendJson(response, 200, { metadata: { name: "t", uid: "u", resourceVersion: "1" }, items: [] }),
    );
    for (let n = 0; n < 4; n += 1) {
      await cluster.createConfigMap(CONFIG_MAP, never());
      await cluster.createTestRun(TESTRUN, never());
      await cluster.listPods("t", never());
      await cluster.readPodLog({ pod: "p", container: "c", tailLines: 1, maxBytes: 10 }, never());
      await cluster.deleteConfigMap("t", "u", never());
    }
    expect(server.requests).toHaveLength(20);
    expect(server.connections).toBe(1);
  });
});

test("an answer that is no object is a ClusterError", async () => {
  const { cluster } = await serve((_, response) => sendJson(response, 200, { metadata: { name: "t" } }));
  const refusal = { code: "server_error", message: expect.stringContaining("the answer is not an object") };
  await expect(cluster.getTestRun("t", never())).rejects.toMatchObject(refusal);
  await expect(cluster.createTestRun(TESTRUN, never())).rejects.toMatchObject(refusal);
});

test("a closed cluster starts no watch and sends nothing", async () => {
  const { server, cluster } = await serve((_, response) => sendJson(response, 200, {}));
  await cluster.close();
  expect(() => cluster.watch()).toThrow(ClusterError);
  await expect(cluster.getTestRun("t", never())).rejects.toMatchObject({ code: "network" });
  expect(server.requests).toEqual([]);
});

describe("deleteTestRun", () => {
  const conflict: Handler = ({ method }, response) => {
    if (method === "DELETE") sendStatus(response, 409, "Conflict", "Precondition failed: UID in precondition");
    else sendJson(response, 200, { metadata: { name: "t", uid: "current" } });
  };

  test("asks for that UID only, in the background", async () => {
    const { server, cluster } = await serve((_, response) => sendJson(response, 200, {}));
    await cluster.deleteTestRun("t", "u", never());
    expect(asked(server)).toEqual(["DELETE /apis/k6.io/v1alpha1/namespaces/ns/testruns/t"]);
    expect(JSON.parse(server.requests[0]!.body)).toMatchObject({
      propagationPolicy: "Background",
      preconditions: { uid: "u" },
    });
  });

  test("another TestRun of the name is left alone, and that is success", async () => {
    const { cluster } = await serve(conflict);
    await cluster.deleteTestRun("t", "former", never());
  });

  test("a conflict about the very TestRun is an error", async () => {
    const { cluster } = await serve(conflict);
    await expect(cluster.deleteTestRun("t", "current", never())).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("stopRunner", () => {
  const running = {
    metadata: { name: "p", uid: "p" },
    status: { phase: "Running", containerStatuses: [{ state: { running: {} } }] },
  };
  const ended = {
    ...running,
    status: { phase: "Running", containerStatuses: [{ state: { terminated: { exitCode: 103 } } }] },
  };

  /** Answers each GET of the pod with the next state, the last for ever, and the PATCH as given. */
  function runner(pods: (object | null)[], patch: Handler): Handler {
    let looked = 0;
    return (request, response, message) => {
      if (request.method === "PATCH") return patch(request, response, message);
      const pod = pods[Math.min(looked, pods.length - 1)];
      looked += 1;
      if (pod) sendJson(response, 200, pod);
      else sendStatus(response, 404, "NotFound", 'pods "p" not found', { kind: "pods", name: "p" });
    };
  }
  const refused: Handler = (_, response) =>
    sendStatus(
      response,
      503,
      "ServiceUnavailable",
      "error trying to reach service: dial tcp 10.0.0.1:6565: connect: connection refused",
    );

  test("PATCHes the status of k6 through the proxy", async () => {
    const { server, cluster } = await serve(runner([running], (_, response) => sendJson(response, 200, { data: {} })));
    await cluster.stopRunner("p", never());
    const patch = server.requests.find(({ method }) => method === "PATCH")!;
    expect(patch.path).toBe("/api/v1/namespaces/ns/pods/p:6565/proxy/v1/status");
    expect(JSON.parse(patch.body)).toEqual({ data: { type: "status", id: "default", attributes: { stopped: true } } });
  });

  test.each([
    ["gone", null],
    ["ended", ended],
  ])("a runner that is %s is success without asking", async (_name, pod) => {
    const { server, cluster } = await serve(runner([pod], refused));
    await cluster.stopRunner("p", never());
    expect(asked(server)).toEqual(["GET /api/v1/namespaces/ns/pods/p"]);
  });

  test.each([
    ["gone", null],
    ["ended", ended],
  ])("a runner that is %s by the time k6 did not answer is success", async (_name, pod) => {
    const { server, cluster } = await serve(runner([running, pod], refused));
    await cluster.stopRunner("p", never());
    expect(server.requests).toHaveLength(3);
  });

  test("a runner that runs and can't be reached, or refuses, is an error", async () => {
    const unreachable = await serve(runner([running], refused));
    await expect(unreachable.cluster.stopRunner("p", never())).rejects.toMatchObject({
      code: "server_error",
      status: 503,
    });
    const refuses = await serve(
      runner([running], (_, response) => sendJson(response, 400, { errors: [{ title: "bad" }] })),
    );
    await expect(refuses.cluster.stopRunner("p", never())).rejects.toMatchObject({ code: "invalid" });
    const forbids = await serve(runner([running], (_, response) => sendStatus(response, 403, "Forbidden")));
    await expect(forbids.cluster.stopRunner("p", never())).rejects.toMatchObject({ code: "forbidden" });
    const silent = await serve(
      runner([running], () => undefined),
      50,
    );
    await expect(silent.cluster.stopRunner("p", never())).rejects.toMatchObject({ code: "timeout" });
  });

  test.each<[PodObject["status"], boolean]>([
    [undefined, false],
    [{ phase: "Pending" }, false],
    [{ phase: "Succeeded" }, true],
    [{ phase: "Failed", reason: "Evicted" }, true],
    [
      {
        phase: "Running",
        containerStatuses: [{ name: "k6", restartCount: 0, state: { terminated: { exitCode: 0 } } }],
      },
      true,
    ],
    [
      {
        phase: "Running",
        containerStatuses: [
          { name: "k6", restartCount: 0, state: { running: {} } },
          { name: "other", restartCount: 0, state: { terminated: { exitCode: 0 } } },
        ],
      },
      false,
    ],
  ])("%j has ended: %s", (status, expected) => {
    expect(hasEnded({ metadata: { name: "p", uid: "p" }, ...(status && { status }) })).toBe(expected);
  });
});

describe("readPodLog", () => {
  interface Recorded {
    id: string;
    status: number;
    contentType: string | null;
    body: string;
  }
  const recorded = readFileSync(new URL("fixtures/log-api.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Recorded);
  const request = { pod: "p", container: "c", tailLines: 7, maxBytes: 100_000 };

  test.each(recorded)("$id ($status) comes back as it was answered", async ({ status, contentType, body }) => {
    const { server, cluster } = await serve((_, response) => {
      response.writeHead(status, contentType === null ? {} : { "content-type": contentType });
      response.end(status === 204 ? undefined : body);
    });
    const answer = await cluster.readPodLog(request, never());
    expect(answer).toMatchObject({ status, contentType: contentType ?? undefined, cut: false });
    expect(Buffer.from(answer.body).toString()).toBe(body ?? "");
    expect(asked(server)).toEqual(["GET /api/v1/namespaces/ns/pods/p/log"]);
    expect(Object.fromEntries(server.requests[0]!.query)).toEqual({
      container: "c",
      timestamps: "true",
      tailLines: "7",
    });
  });

  test.each([401, 429, 500, 503])("%d is an answer too", async (status) => {
    const { cluster } = await serve((_, response) => sendStatus(response, status, "Reason", "words"));
    const answer = await cluster.readPodLog(request, never());
    expect(answer).toMatchObject({ status, contentType: "application/json" });
    expect(JSON.parse(Buffer.from(answer.body).toString())).toMatchObject({ message: "words" });
  });

  test("only the newest bytes are kept", async () => {
    const { cluster } = await serve((_, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      for (let n = 0; n < 1000; n += 1) response.write(`line ${n}\n`);
      response.end();
    });
    const answer = await cluster.readPodLog({ ...request, maxBytes: 20 }, never());
    expect(answer.cut).toBe(true);
    expect(Buffer.from(answer.body).toString()).toBe("line 997\nline 998\nline 999\n".slice(-20));
  });

  test("a log that is cut or late is no answer", async () => {
    const cut = await serve(
      (_, response) => void response.writeHead(200).write("2026", () => response.socket!.destroy()),
    );
    await expect(cut.cluster.readPodLog(request, never())).rejects.toMatchObject({ code: "network" });
    const late = await serve((_, response) => void response.writeHead(200).write("2026"), 50);
    await expect(late.cluster.readPodLog(request, never())).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("removeFinalizer", () => {
  const PATH = "/apis/k6.io/v1alpha1/namespaces/ns/testruns/t";
  const OURS = "tailrace.dev/logs";
  const testRun = (finalizers: string[] | undefined, resourceVersion = "7", uid = "u") => ({
    metadata: { name: "t", uid, resourceVersion, ...(finalizers && { finalizers }) },
  });

  test("takes ours and leaves the others, as of the version that was read", async () => {
    const { server, cluster } = await serve((_, response) => sendJson(response, 200, testRun(["a", OURS, "b"])));
    await cluster.removeFinalizer("t", "u", OURS, never());
    expect(asked(server)).toEqual([`GET ${PATH}`, `PATCH ${PATH}`]);
    expect(server.requests[1]!.headers["content-type"]).toBe("application/merge-patch+json");
    expect(JSON.parse(server.requests[1]!.body)).toEqual({
      metadata: { uid: "u", resourceVersion: "7", finalizers: ["a", "b"] },
    });
  });

  test.each([
    ["it has none", () => testRun(undefined)],
    ["it has others", () => testRun(["a"])],
    ["another one has its name", () => testRun([OURS], "7", "other")],
  ])("writes nothing where %s", async (_name, object) => {
    const { server, cluster } = await serve((_, response) => sendJson(response, 200, object()));
    await cluster.removeFinalizer("t", "u", OURS, never());
    expect(asked(server)).toEqual([`GET ${PATH}`]);
  });

  test("of a TestRun that is gone, before or in between, is success", async () => {
    const gone = await serve((_, response) => sendStatus(response, 404, "NotFound"));
    await gone.cluster.removeFinalizer("t", "u", OURS, never());
    const between = await serve(({ method }, response) =>
      method === "GET" ? sendJson(response, 200, testRun([OURS])) : sendStatus(response, 404, "NotFound"),
    );
    await between.cluster.removeFinalizer("t", "u", OURS, never());
    expect(asked(between.server)).toHaveLength(2);
  });

  test("reads anew after a conflict, and gives up when there is no end to them", async () => {
    let version = 7;
    const { server, cluster } = await serve(({ method, body }, response) => {
      if (method === "GET") return sendJson(response, 200, testRun([OURS, `other-${version}`], String(version)));
      version += 1;
      if (body.includes('"9"')) return sendJson(response, 200, testRun([]));
      sendStatus(response, 409, "Conflict");
    });
    await cluster.removeFinalizer("t", "u", OURS, never());
    expect(server.requests.filter(({ method }) => method === "PATCH").map(({ body }) => JSON.parse(body))).toEqual(
      ["7", "8", "9"].map((resourceVersion) => ({
        metadata: { uid: "u", resourceVersion, finalizers: [`other-${resourceVersion}`] },
      })),
    );
    const endless = await serve(({ method }, response) =>
      method === "GET" ? sendJson(response, 200, testRun([OURS])) : sendStatus(response, 409, "Conflict"),
    );
    await expect(endless.cluster.removeFinalizer("t", "u", OURS, never())).rejects.toMatchObject({ code: "conflict" });
    expect(endless.server.requests).toHaveLength(10);
  });

  test("passes other failures on, and ends with the signal", async () => {
    const { cluster } = await serve(({ method }, response) =>
      method === "GET" ? sendJson(response, 200, testRun([OURS])) : sendStatus(response, 403, "Forbidden"),
    );
    await expect(cluster.removeFinalizer("t", "u", OURS, never())).rejects.toMatchObject({ code: "forbidden" });
    const controller = new AbortController();
    const busy = await serve(({ method }, response) => {
      if (method === "GET") return sendJson(response, 200, testRun([OURS]));
      sendStatus(response, 409, "Conflict");
      setTimeout(() => controller.abort("enough"), 10);
    });
    const error: unknown = await busy.cluster
      .removeFinalizer("t", "u", OURS, controller.signal)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ClusterError);
  });
});

describe("reviewNodeLogAccess", () => {
  test.each([
    ["kubelet", "log"],
    ["proxy", "proxy"],
  ] as const)("by %s asks about nodes/%s", async (by, subresource) => {
    const { server, cluster } = await serve((_, response) => sendJson(response, 201, { status: { allowed: true } }));
    expect(await cluster.reviewNodeLogAccess(by, never())).toEqual({
      allowed: true,
      reason: `get on nodes/${subresource} is granted`,
    });
    expect(asked(server)).toEqual(["POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"]);
    expect(JSON.parse(server.requests[0]!.body)).toMatchObject({
      spec: { resourceAttributes: { verb: "get", resource: "nodes", subresource } },
    });
  });

  test("says what is missing and what would grant it, in one line", async () => {
    const status = { allowed: false, reason: "no RBAC policy\nmatched", evaluationError: "" };
    const { cluster } = await serve((_, response) => sendJson(response, 201, { status }));
    expect(await cluster.reviewNodeLogAccess("kubelet", never())).toEqual({
      allowed: false,
      reason:
        "get on nodes/log is not granted (no RBAC policy matched); " +
        'a ClusterRole with the rule {apiGroups: [""], resources: ["nodes/log"], verbs: ["get"]} grants it',
    });
    const silent = await serve((_, response) => sendJson(response, 201, {}));
    expect(await silent.cluster.reviewNodeLogAccess("proxy", never())).toMatchObject({
      allowed: false,
      reason: expect.stringMatching(/^get on nodes\/proxy is not granted; a ClusterRole .*nodes\/proxy/),
    });
  });

  test("that can't be asked is an error", async () => {
    const { cluster } = await serve((_, response) => sendStatus(response, 503, "ServiceUnavailable"));
    await expect(cluster.reviewNodeLogAccess("kubelet", never())).rejects.toMatchObject({ code: "server_error" });
  });
});
