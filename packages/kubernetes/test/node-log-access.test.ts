import { describe, expect, test } from "vitest";
import { asked, serve } from "./support/serve.ts";
import { never, sendJson, sendStatus } from "./support/server.ts";

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
