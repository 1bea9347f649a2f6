import { ClusterError } from "@tailrace/core";
import { describe, expect, test } from "vitest";
import { asked, serve } from "./support/serve.ts";
import { never, sendJson, sendStatus } from "./support/server.ts";

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
