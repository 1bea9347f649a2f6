import { ClusterError, type TestRunManifest } from "@tailrace/core";
import { describe, expect, test } from "vitest";
import { asked, serve } from "./support/serve.ts";
import { type Handler, never, sendJson, sendStatus } from "./support/server.ts";

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
