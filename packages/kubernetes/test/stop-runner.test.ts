import { type PodObject } from "@tailrace/core";
import { describe, expect, test } from "vitest";
import { hasEnded } from "../src/stop-runner.ts";
import { asked, serve } from "./support/serve.ts";
import { type Handler, never, sendJson, sendStatus } from "./support/server.ts";

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
