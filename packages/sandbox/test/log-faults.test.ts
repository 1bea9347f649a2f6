import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CORE, handWritten, openSandbox, raw, runByHand, until, type RawAnswer, type TestSandbox } from "./support.ts";

const { program, containers } = handWritten();
const TEXT = Array.from({ length: 4000 }, (_, at) => `line ${at} ${"x".repeat(200)}\n`).join("");
const told: { port: string; path: string }[] = [];
let there: TestSandbox;
let file: string;
let proxied: string;
const log = `${CORE}/pods/by-hand/log?container=c`;

beforeAll(async () => {
  there = await openSandbox({ programs: [program], requestLog: (entry) => told.push(entry) });
  file = `${await runByHand(there, "by-hand", ["c"])}/c/0.log`;
  proxied = `/api/v1/nodes/sandbox-node/proxy${file}`;
  containers.get("c")!.output.write("stdout", Buffer.from(TEXT));
});
afterEach(() => there.sandbox.faults.clear());
afterAll(async () => {
  expect(there.problems).toEqual([]);
  await there[Symbol.asyncDispose]();
});

interface Way {
  name: string;
  get: (more?: {
    onData?: (length: number) => void;
    signal?: AbortSignal;
    headers?: Record<string, string>;
  }) => Promise<RawAnswer>;
  path: RegExp;
}
const WAYS: Way[] = [
  { name: "the kubelet's port", get: (more) => raw(there.sandbox, { path: file, ...more }), path: /^\/logs\// },
  {
    name: "the node proxy",
    get: (more) => raw(there.sandbox, { port: "api", path: proxied, ...more }),
    path: /proxy\/logs\//,
  },
  { name: "pods/log", get: (more) => raw(there.sandbox, { port: "api", path: log, ...more }), path: /\/log\?/ },
  {
    name: "pods/log that follows",
    get: (more) => raw(there.sandbox, { port: "api", path: `${log}&follow=true`, ...more }),
    path: /\/log\?/,
  },
];
const bounded = WAYS.slice(0, 3);

describe.each(WAYS)("$name", ({ get, path }) => {
  const fail = (fault: object): void => there.sandbox.faults.fail({ path, ...fault });

  test("a connection that is cut after some bytes", async () => {
    fail({ cutAfter: 100_000 });
    const { status, end, body } = await get();
    expect([status, end]).toEqual([200, "cut"]);
    expect(body.length).toBeLessThanOrEqual(100_000);
  });

  test("an end after some bytes that looks like the end", async () => {
    fail({ endAfter: 100_001 });
    const { status, end, body } = await get();
    expect([status, end, body.length]).toEqual([200, "clean", 100_001]);
  });

  test("a body that stalls, until the faults are cleared", async () => {
    fail({ stallAfter: 100_000, endAfter: 300_000 });
    let length = 0;
    const answer = get({ onData: (sum) => void (length = sum) });
    await until("the bytes before", () => length === 100_000);
    there.sandbox.faults.clear();
    expect(await answer).toMatchObject({ status: 200, end: "clean" });
    expect(length).toBe(300_000);
  });

  test("a client that leaves a stalled body", async () => {
    fail({ stallAfter: 10 });
    const abort = new AbortController();
    const answer = get({ signal: abort.signal, onData: (length) => length === 10 && abort.abort() });
    expect(await answer).toMatchObject({ end: "cut" });
  });

  test("a text in the log's place, and a reset", async () => {
    fail({ body: "unable to retrieve container logs for containerd://x" });
    expect(await get()).toMatchObject({ status: 200, body: "unable to retrieve container logs for containerd://x" });
    fail({ answer: "reset" });
    await expect(get()).rejects.toThrow(/ECONNRESET|socket hang up/);
  });
});

describe.each(bounded)("$name", ({ name, get, path }) => {
  test("is whole, without a fault and after one for the other port", async () => {
    const port = name === "the kubelet's port" ? "api" : "kubelet";
    there.sandbox.faults.fail({ port, answer: 500 });
    const { status, end, body } = await get();
    expect([status, end]).toEqual([200, "clean"]);
    expect(body.replaceAll(/^\S+ stdout F /gm, "")).toBe(TEXT);
  });

  test("answers late", async () => {
    there.sandbox.faults.fail({ path, delayMs: 120, endAfter: 1 });
    const started = performance.now();
    await get();
    expect(performance.now() - started).toBeGreaterThanOrEqual(119);
  });
});

test.each([
  [401, "Unauthorized"],
  [403, "Forbidden (user=sandbox, verb=get, resource=nodes, subresource(s)=[log])\n"],
  [404, "404 page not found\n"],
  [500, "500 Internal Server Error"],
  [503, "503 Service Unavailable"],
] as const)("the kubelet's port can answer %d", async (answer, body) => {
  there.sandbox.faults.fail({ port: "kubelet", answer, retryAfter: 2 });
  const [first, second] = [await raw(there.sandbox, { path: file }), await raw(there.sandbox, { path: file })];
  expect([first.status, first.body, second.status]).toEqual([answer, body, 200]);
  expect(first.headers).toContainEqual(["Retry-After", "2"]);
});

test("a range of a file that was shorter when it was opened", async () => {
  const answers: [RawAnswer, RawAnswer] = [await shortened("bytes=1000-"), await shortened("bytes=1000-1049")];
  expect(answers.map(({ status, body }) => [status, body.length])).toEqual([
    [206, 77],
    [206, 50],
  ]);
  expect(answers[0].headers).toContainEqual(["Content-Range", "bytes 1000-1076/1077"]);

  async function shortened(range: string): Promise<RawAnswer> {
    there.sandbox.faults.fail({ port: "kubelet", endAfter: 77 });
    return await raw(there.sandbox, { path: file, headers: { range } });
  }
});

test("cutting the connections cuts those of both ports", async () => {
  const cut = WAYS.filter(({ name }) => name !== "pods/log").map(({ get, path }) => {
    there.sandbox.faults.fail({ path, stallAfter: 1000 });
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    return { begun, answer: get({ onData: () => resolve() }) };
  });
  await Promise.all(cut.map(({ begun }) => begun));
  there.sandbox.faults.cutConnections();
  for (const { answer } of cut) expect(await answer).toMatchObject({ status: 200, end: "cut" });
});

test("a stopped kubelet breaks what goes through it, and comes back on its port", async () => {
  const { port } = there.sandbox.kubelet;
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const followed = raw(there.sandbox, { port: "api", path: `${log}&follow=true&tailLines=1`, onData: () => resolve() });
  await begun;
  await there.sandbox.faults.stopKubelet();
  expect(await followed).toMatchObject({ status: 200, end: "clean" });
  await expect(raw(there.sandbox, { path: file })).rejects.toThrow("ECONNREFUSED");
  const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
  expect((await there.send("GET", `${log}&timestamps=true&follow=true`)).body).toEqual({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `Get "https://127.0.0.1:${port}/containerLogs/default/by-hand/c?follow=true&timestamps=true": ${refused}`,
    code: 500,
  });
  expect((await there.send("GET", proxied)).body).toMatchObject({
    code: 503,
    reason: "ServiceUnavailable",
    message: `error trying to reach service: ${refused}`,
  });
  await there.sandbox.faults.startKubelet();
  expect(there.sandbox.kubelet.port).toBe(port);
  expect((await raw(there.sandbox, { path: file, headers: { range: "bytes=0-9" } })).status).toBe(206);
  expect((await there.send("GET", `${log}&tailLines=1`)).status).toBe(200);
});

test("requests to the kubelet's port are told too", async () => {
  told.length = 0;
  await raw(there.sandbox, { path: `${file}?a=b`, headers: { range: "bytes=0-0" } });
  expect(told).toEqual([{ port: "kubelet", method: "GET", path: file, query: "a=b" }]);
});
