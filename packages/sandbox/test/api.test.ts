import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, CORE, openSandbox, testRun, TESTRUNS, type Json, type TestSandbox } from "./support.ts";

let there: TestSandbox;
beforeAll(async () => {
  there = await openSandbox();
  there.sandbox.faults.setOperator(false);
});
afterAll(() => there[Symbol.asyncDispose]());

const failure = (code: number, reason: string, message: string, details?: Json): Json => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  reason,
  ...(details ? { details } : {}),
  code,
});

describe("who may ask", () => {
  test.each([{}, { authorization: "Bearer nope" }, { authorization: "Basic x" }])(
    "%j is unauthorized",
    async (headers) => {
      const response = await fetch(`${there.sandbox.url}${CORE}/pods`, { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual(failure(401, "Unauthorized", "Unauthorized"));
    },
  );

  test("another Host is refused, so that no web page gets through by a name of its own", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: "evil.example", authorization: `Bearer ${there.sandbox.token}` };
      request(`${there.sandbox.url}/version`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });

  test("the kubeconfig names server, token and namespace", () => {
    const { url, token } = there.sandbox;
    for (const part of [url, token, `namespace: "default"`]) expect(there.sandbox.kubeconfig()).toContain(part);
  });
});

describe("discovery", () => {
  test("versions, health, groups, resources, access", async () => {
    expect((await there.send("GET", "/version")).body).toMatchObject({ major: "1", minor: "34" });
    expect((await there.send("GET", "/readyz")).text).toBe("ok");
    expect((await there.send("GET", "/api")).body).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    const resources = (await there.send("GET", "/apis/k6.io/v1alpha1")).body.resources as Json[];
    expect(resources.map(({ name, kind }) => [name, kind])).toEqual([["testruns", "TestRun"]]);
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { verb: "get", resource: "pods" } },
    };
    const { status, body } = await there.send("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review);
    expect([status, body.status]).toEqual([201, { allowed: true }]);
    expect((await there.send("GET", "/apis/nope/v1")).body).toEqual(
      failure(404, "NotFound", "the server could not find the requested resource", {}),
    );
  });
});

describe("creating", () => {
  test("an object gets uid, resourceVersion and time; twice is a conflict; a delete names it", async () => {
    const created = await there.send("POST", `${CORE}/configmaps`, configMap("ok", { a: "b" }));
    expect(created.status).toBe(201);
    const { uid } = created.body.metadata;
    expect(created.body).toEqual({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: {
        name: "ok",
        namespace: "default",
        uid,
        resourceVersion: expect.stringMatching(/^\d+$/),
        creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
      data: { a: "b" },
    });
    const again = await there.send("POST", `${CORE}/configmaps`, configMap("ok", {}));
    expect(again.body).toEqual(
      failure(409, "AlreadyExists", `configmaps "ok" already exists`, { name: "ok", kind: "configmaps" }),
    );
    const removed = await there.send("DELETE", `${CORE}/configmaps/ok`);
    expect(removed.body).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "ok", kind: "configmaps", uid },
    });
    const gone = await there.send("GET", `${CORE}/configmaps/ok`);
    expect(gone.body).toEqual(
      failure(404, "NotFound", `configmaps "ok" not found`, { name: "ok", kind: "configmaps" }),
    );
  });

  test("a bad name is refused with its cause", async () => {
    const rule =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    const message = `Invalid value: "Bad_Name": ${rule}`;
    const causes = [{ reason: "FieldValueInvalid", message, field: "metadata.name" }];
    const { body } = await there.send("POST", TESTRUNS, testRun("Bad_Name"));
    expect(body).toEqual(
      failure(422, "Invalid", `TestRun.k6.io "Bad_Name" is invalid: metadata.name: ${message}`, {
        name: "Bad_Name",
        group: "k6.io",
        kind: "TestRun",
        causes,
      }),
    );
  });

  test.each([
    [
      "no parallelism and no script",
      { spec: {} },
      `TestRun.k6.io "t" is invalid: [spec.parallelism: Required value, spec.script: Required value]`,
    ],
    [
      "a parallelism of text",
      { spec: { parallelism: "x", script: {} } },
      `TestRun.k6.io "t" is invalid: spec.parallelism: Invalid value: "string": spec.parallelism in body must be of type integer: "string"`,
    ],
  ])("%s", async (_, fields, message) => {
    const { status, body } = await there.send("POST", TESTRUNS, { ...testRun("t"), ...fields });
    expect([status, body.message]).toEqual([422, message]);
  });

  test("a ConfigMap above 1 MiB is invalid, a body above 3 MiB too large, another namespace unknown", async () => {
    const big = await there.send("POST", `${CORE}/configmaps`, configMap("big", { a: "x".repeat(1_048_577) }));
    expect([big.status, big.body.message]).toEqual([
      422,
      `ConfigMap "big" is invalid: []: Too long: may not be more than 1048576 bytes`,
    ]);
    const huge = await there.send("POST", `${CORE}/configmaps`, configMap("big", { a: "x".repeat(3_200_000) }));
    expect(huge.body).toEqual(failure(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"));
    const elsewhere = await there.send("POST", "/api/v1/namespaces/nonexist/configmaps", configMap("a", {}));
    expect(elsewhere.body).toEqual(
      failure(404, "NotFound", `namespaces "nonexist" not found`, { name: "nonexist", kind: "namespaces" }),
    );
  });
});

describe("a TestRun", () => {
  test("loses the fields that the operator's 1.5.0 does not know, and gets its defaults", async () => {
    const spec = {
      parallelism: 1,
      args: ["-x"],
      script: { configMap: { name: "x", bar: 1 } },
      runner: { image: "i", zork: 1 },
      initializer: undefined,
    };
    const { body } = await there.send("POST", TESTRUNS, testRun("pruned", spec));
    expect(body.spec).toEqual({
      parallelism: 1,
      paused: "true",
      quiet: "true",
      script: { configMap: { name: "x" } },
      runner: { disabled: false, image: "i" },
    });
    expect(body.metadata.generation).toBe(1);
  });

  test("labels and finalizers are patched, a stale resourceVersion and another content type refused", async () => {
    await there.send(
      "POST",
      TESTRUNS,
      testRun("patched", {}, { finalizers: ["tailrace.dev/logs"], labels: { a: "b" } }),
    );
    const path = `${TESTRUNS}/patched`;
    const labelled = await there.send("PATCH", path, { metadata: { labels: { a: null, x: "y" } } });
    expect(labelled.body.metadata).toMatchObject({
      labels: { x: "y" },
      generation: 1,
      finalizers: ["tailrace.dev/logs"],
    });
    const stale = await there.send("PATCH", path, { metadata: { resourceVersion: "1", labels: { x: "z" } } });
    const words = "the object has been modified; please apply your changes to the latest version and try again";
    expect(stale.body).toEqual(
      failure(409, "Conflict", `Operation cannot be fulfilled on testruns.k6.io "patched": ${words}`, {
        name: "patched",
        group: "k6.io",
        kind: "testruns",
      }),
    );
    expect((await there.send("PATCH", path, {}, { "content-type": "application/json" })).status).toBe(415);
  });

  test("deletion heeds the UID and waits for finalizers", async () => {
    const { body } = await there.send("POST", TESTRUNS, testRun("held", {}, { finalizers: ["tailrace.dev/logs"] }));
    const path = `${TESTRUNS}/held`;
    const other = await there.send("DELETE", path, { preconditions: { uid: "x" } });
    expect(other.body.message).toContain(
      `Operation cannot be fulfilled on TestRun.k6.io "held": the UID in the precondition (x) does not match the UID in record (${body.metadata.uid})`,
    );
    const marked = await there.send("DELETE", path, {
      propagationPolicy: "Background",
      preconditions: { uid: body.metadata.uid },
    });
    expect(marked.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2 });
    expect((await there.send("GET", path)).status).toBe(200);
    expect((await there.send("PATCH", path, { metadata: { finalizers: null } })).status).toBe(200);
    expect((await there.send("GET", path)).body).toMatchObject({
      code: 404,
      details: { name: "held", group: "k6.io", kind: "testruns" },
    });
  });

  test("without its operator it stays as it was made", async () => {
    const { body } = await there.send("GET", `${TESTRUNS}/pruned`);
    expect(body.status).toBeUndefined();
  });
});

describe("listing", () => {
  test("pages of one list have one resourceVersion and every object once", async () => {
    for (const name of ["p1", "p2", "p3"])
      await there.send("POST", `${CORE}/configmaps`, {
        ...configMap(name, {}),
        metadata: { name, labels: { paged: "yes" } },
      });
    const query = `${CORE}/configmaps?labelSelector=paged%3Dyes&limit=2`;
    const first = (await there.send("GET", query)).body;
    expect(first.metadata.remainingItemCount).toBe(1);
    await there.send("POST", `${CORE}/configmaps`, configMap("other", {}));
    const second = (await there.send("GET", `${query}&continue=${encodeURIComponent(first.metadata.continue)}`)).body;
    expect([...first.items, ...second.items].map((item: Json) => item.metadata.name)).toEqual(["p1", "p2", "p3"]);
    expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
    expect(first.items[0]).not.toHaveProperty("kind");
    there.sandbox.faults.compactWatchHistory();
    expect((await there.send("GET", `${query}&continue=${encodeURIComponent(first.metadata.continue)}`)).status).toBe(
      410,
    );
    expect((await there.send("GET", `${query}&continue=abc`)).status).toBe(400);
  });
});
