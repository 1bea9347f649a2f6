import https from "node:https";
import { mkdir, open, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RECORDED_FILES, RECORDED_NODE_LOGS, type RecordedNodeLog } from "./recorded.ts";
import { logRoot, openSandbox, raw, type RawAnswer, type TestSandbox } from "./support.ts";

let there: TestSandbox;
beforeAll(async () => {
  there = await openSandbox();
  const root = await logRoot(there);
  for (const { path } of RECORDED_FILES.folders) await mkdir(join(root, path), { recursive: true });
  for (const { path, size, modified, parts } of RECORDED_FILES.files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await using file = await open(join(root, path), "w");
    await file.truncate(size);
    for (const [offset, text] of parts) await file.write(Buffer.from(text, "latin1"), 0, null, offset);
    await file.utimes(new Date(modified), new Date(modified));
  }
  for (const { path, modified } of RECORDED_FILES.folders)
    await utimes(join(root, path), new Date(modified), new Date(modified));
});
afterAll(async () => {
  expect(there.problems).toEqual([]);
  await there[Symbol.asyncDispose]();
});

const ask = ({ port, caller, method, path, headers }: RecordedNodeLog): Promise<RawAnswer> =>
  raw(there.sandbox, {
    port,
    method,
    path: path.replace("/nodes/lab-node/", "/nodes/sandbox-node/"),
    headers: Object.fromEntries(headers),
    ...(caller === "no token" ? { token: null } : caller === "wrong token" ? { token: "nope" } : {}),
  });

/** Names without their spelling, sorted; without those that are never the same. */
const sorted = (headers: readonly (readonly [string, string])[]): string[] =>
  headers
    .filter(([name]) => name !== "Date")
    .map(([name, value]) => `${name}: ${value}`)
    .toSorted();

const withOurNames = (text: string): string =>
  text.replaceAll(/system:serviceaccount:sandbox-room:\w+/g, "sandbox").replaceAll("lab-node", "sandbox-node");

const allowed = RECORDED_NODE_LOGS.filter(({ caller }) => caller !== "no rights");

describe("the kubelet's port answers as it was recorded", () => {
  const own = allowed.filter(({ port }) => port === "kubelet");
  test.each(own.map((each) => [each.id, each] as const))("%s", async (_, recorded) => {
    const answer = await ask(recorded);
    const body = withOurNames(recorded.body);
    const answered = recorded.answered.map(([name, value]) =>
      // A HEAD has the length of the body that it leaves out, and the users' names have others.
      name === "Content-Length" && body !== recorded.body
        ? ([name, String(body.length)] as const)
        : ([name, value] as const),
    );
    expect([answer.status, sorted(answer.headers)]).toEqual([recorded.status, sorted(answered)]);
    expect(answer.body).toBe(body);
    // 400 is what Go's parser says, and has none.
    expect(answer.headers.filter(([name]) => name === "Date")).toHaveLength(recorded.status === 400 ? 0 : 1);
  });

  test("who may not read nodes/log gets 403, with the words of the kubelet, and 404 and 405 are not told", async () => {
    const denied = RECORDED_NODE_LOGS.filter(({ caller }) => caller === "no rights");
    expect(denied.length).toBeGreaterThan(3);
    const lift = there.sandbox.faults.deny({ resource: "nodes", subresource: "log" });
    for (const recorded of denied)
      expect(await ask(recorded)).toMatchObject({ status: 403, body: withOurNames(recorded.body) });
    lift();
    for (const recorded of denied) expect((await ask(recorded)).status).not.toBe(403);
  });
});

describe("the node proxy answers as it was recorded", () => {
  const proxied = allowed.filter(({ id }) => id.startsWith("proxy-") && id !== "proxy-forbidden");
  test.each(proxied.map((each) => [each.id, each] as const))("%s", async (_, recorded) => {
    const answer = await ask(recorded);
    expect([answer.status, answer.body.trimEnd()]).toEqual([recorded.status, withOurNames(recorded.body).trimEnd()]);
    if (recorded.id === "proxy-unknown-node") return;
    const answered = recorded.answered.map(([name, value]) => [name, withOurNames(value)] as const);
    expect(sorted(answer.headers)).toEqual(sorted(answered));
  });

  test.each([
    ["proxy-forbidden", { resource: "nodes", subresource: "proxy" }],
    ["log-forbidden", { verb: "get", resource: "pods", subresource: "log" }],
    ["pods-forbidden", { verb: "list", resource: "pods" }],
    ["testruns-forbidden", { group: "k6.io", resource: "testruns" }],
  ])("%s", async (id, rule) => {
    const recorded = RECORDED_NODE_LOGS.find((each) => each.id === id)!;
    const lift = there.sandbox.faults.deny(rule);
    const answer = await ask(recorded);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([403, JSON.parse(withOurNames(recorded.body))]);
    lift();
    expect((await ask(recorded)).status).not.toBe(403);
  });

  test("a denial of one verb or subresource is none of another", async () => {
    const lift = there.sandbox.faults.deny({ verb: "watch", resource: "pods" });
    expect((await raw(there.sandbox, { port: "api", path: "/api/v1/namespaces/default/pods" })).status).toBe(200);
    expect((await raw(there.sandbox, { port: "api", path: "/api/v1/namespaces/default/pods?watch=1" })).status).toBe(
      403,
    );
    lift();
  });
});

test("an access review says what is denied", async () => {
  const review = async (resource: string, subresource: string): Promise<boolean> => {
    const spec = { resourceAttributes: { verb: "get", resource, subresource } };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    return (await there.send("POST", path, { spec })).body.status.allowed as boolean;
  };
  const lift = there.sandbox.faults.deny({ verb: "get", resource: "nodes", subresource: "log" });
  expect([await review("nodes", "log"), await review("nodes", "proxy"), await review("pods", "log")]).toEqual([
    false,
    true,
    true,
  ]);
  lift();
  expect(await review("nodes", "log")).toBe(true);
  await using other = await openSandbox({ denied: [{ resource: "nodes", subresource: "log" }] });
  expect((await raw(other.sandbox, { path: "/logs/" })).status).toBe(403);
});

test("the certificate is for 127.0.0.1 and by an authority of the sandbox's own", async () => {
  const { port, ca } = there.sandbox.kubelet;
  const connect = (options: https.RequestOptions): Promise<string> =>
    new Promise((resolve) => {
      const request = https.get({ port, path: "/logs/", agent: false, ...options }, (response) => {
        response.resume();
        resolve(String(response.statusCode));
      });
      request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  expect(await connect({ host: "127.0.0.1", ca })).toBe("401");
  expect(await connect({ host: "127.0.0.1" })).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  expect(await connect({ host: "localhost", ca })).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
});

test("one connection serves many requests", async () => {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const [{ path }] = RECORDED_NODE_LOGS.filter(({ id }) => id === "current") as [RecordedNodeLog];
  for (let at = 0; at < 5; at++) {
    const { status, headers } = await raw(there.sandbox, { path, agent, headers: { range: `bytes=${at}-` } });
    expect([status, headers.some(([name]) => name.toLowerCase() === "connection")]).toEqual([206, false]);
  }
  expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  agent.destroy();
});

test("no path leads out of the folder", async () => {
  for (const path of [
    "/logs/../../owner.pid",
    "/logs/%2e%2e/owner.pid",
    "/logs/..%2fowner.pid",
    "/logs/pods/..%2f..%2fowner.pid",
  ])
    expect((await raw(there.sandbox, { path })).body).not.toMatch(/^\d+ \d+$/);
});
