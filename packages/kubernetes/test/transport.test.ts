import { KubeConfig } from "@kubernetes/client-node";
import { ClusterError } from "@tailrace/core";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Credentials } from "../src/credentials.ts";
import { Transport, type TransportRequest } from "../src/transport.ts";
import { kubeConfigFor, never, sendJson, sendStatus, startServer, type TestServer } from "./support/server.ts";

const GET: TransportRequest = { method: "GET", path: "/api/v1/thing?limit=1" };

const opened: Transport[] = [];

function transportTo(source: KubeConfig | (() => KubeConfig), timeoutMs = 5000): Transport {
  const transport = new Transport(new Credentials(source), timeoutMs);
  opened.push(transport);
  return transport;
}

function to(server: TestServer, timeoutMs?: number): Transport {
  return transportTo(kubeConfigFor(server.url), timeoutMs);
}

async function failure(promise: Promise<unknown>): Promise<ClusterError> {
  const error: unknown = await promise.then(
    () => new Error("it did not reject"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ClusterError)) throw error;
  return error;
}

afterEach(() => {
  for (const transport of opened.splice(0)) transport.close();
});

describe("requests", () => {
  test("carry the token, go below the server's path, and reuse one connection", async () => {
    await using server = await startServer((_, response) => sendJson(response, 200, { ok: true }));
    const transport = transportTo(kubeConfigFor(`${server.url}/k8s/clusters/c-1/`));
    for (let n = 0; n < 20; n += 1) expect(await transport.json(GET, never())).toEqual({ ok: true });
    expect(server.connections).toBe(1);
    expect(server.requests).toHaveLength(20);
    expect(server.requests[0]).toMatchObject({ method: "GET", path: "/k8s/clusters/c-1/api/v1/thing" });
    expect(server.requests[0]!.headers.authorization).toBe("Bearer secret");
  });

  test("run side by side on connections of their own, which later ones reuse", async () => {
    const waiting: ServerResponse[] = [];
    await using server = await startServer((_, response) => {
      waiting.push(response);
      if (waiting.length === 30) for (const one of waiting) sendJson(one, 200, {});
    });
    const transport = to(server);
    const signal = never();
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warned);
    const round = () => Promise.all(Array.from({ length: 30 }, () => transport.json(GET, signal)));
    await round();
    waiting.length = 0;
    await round();
    process.off("warning", warned);
    expect(server.connections).toBe(30);
    expect(warnings).toEqual([]);
  });

  test("send a body with its length and type", async () => {
    await using server = await startServer((_, response) => sendJson(response, 201, {}));
    await to(server).json({ method: "POST", path: "/x", body: '{"name":"é"}' }, never());
    expect(server.requests[0]!.headers).toMatchObject({ "content-type": "application/json", "content-length": "13" });
    expect(server.requests[0]!.body).toBe('{"name":"é"}');
  });
});

describe("answers", () => {
  test.each([
    [400, "BadRequest", "invalid"],
    [401, "Unauthorized", "unauthorized"],
    [403, "Forbidden", "forbidden"],
    [404, "NotFound", "not_found"],
    [409, "AlreadyExists", "already_exists"],
    [409, "Conflict", "conflict"],
    [410, "Expired", "gone"],
    [413, "RequestEntityTooLarge", "invalid"],
    [422, "Invalid", "invalid"],
    [429, "TooManyRequests", "too_many_requests"],
    [500, "InternalError", "server_error"],
    [503, "ServiceUnavailable", "server_error"],
    [302, "Found", "server_error"],
  ])("%d %s is %s", async (status, reason, code) => {
    await using server = await startServer((_, response) => sendStatus(response, status, reason, "what happened"));
    const error = await failure(to(server).json(GET, never()));
    expect(error).toMatchObject({ code, status });
    expect(error.message).toBe(`GET /api/v1/thing: HTTP ${status}: what happened`);
  });

  test.each([
    ["7", 7000],
    [new Date(Date.now() + 60_000).toUTCString(), 60_000],
    ["soon", undefined],
  ])("Retry-After %s", async (header, expected) => {
    await using server = await startServer(
      (_, response) => void response.writeHead(429, { "retry-after": header }).end("later"),
    );
    const { retryAfterMs, message } = await failure(to(server).json(GET, never()));
    if (expected === undefined) expect(retryAfterMs).toBeUndefined();
    else expect(Math.abs(retryAfterMs! - expected)).toBeLessThan(5000);
    expect(message).toMatch(/HTTP 429: later$/);
  });

  test("half a JSON document in a whole answer is a server error", async () => {
    await using server = await startServer((_, response) => void response.writeHead(200).end('{"items": ['));
    expect(await failure(to(server).json(GET, never()))).toMatchObject({ code: "server_error", status: 200 });
  });
});

describe("broken connections", () => {
  const cases: [string, (response: ServerResponse) => void][] = [
    ["reset before the head", (response) => (response.socket as Socket).resetAndDestroy()],
    ["closed before the head", (response) => response.socket!.destroy()],
    ["something that is not HTTP", (response) => response.socket!.end("220 mail.example ESMTP\r\n")],
    [
      "reset in the middle of a chunked body",
      (response) =>
        void response.writeHead(200).write('{"items":', () => (response.socket as Socket).resetAndDestroy()),
    ],
    [
      "closed in the middle of a chunked body",
      (response) => response.writeHead(200).write('{"items":', () => response.socket!.end()),
    ],
    [
      "closed before Content-Length",
      (response) => response.writeHead(200, { "content-length": 100 }).write("{}", () => response.socket!.end()),
    ],
  ];
  test.each(cases)("%s is a network error", async (_name, act) => {
    await using server = await startServer((_, response) => act(response));
    const error = await failure(to(server).json(GET, never()));
    expect(error).toMatchObject({ code: "network", status: undefined });
    expect(error.message).toMatch(/^GET \/api\/v1\/thing: .{8}/);
  });

  test("nothing listens", async () => {
    const server = await startServer(() => undefined);
    await server[Symbol.asyncDispose]();
    expect(await failure(to(server).json(GET, never()))).toMatchObject({ code: "network" });
  });

  test("an answer that nobody reads may break without harm", async () => {
    let answer: ServerResponse | undefined;
    await using server = await startServer((_, response) => {
      answer = response;
      response.writeHead(200).write("x");
    });
    const open = await to(server).open(GET, never());
    const closed = new Promise((resolve) => answer!.on("close", resolve));
    (answer!.socket as Socket).resetAndDestroy();
    await closed;
    const reading = (async () => {
      for await (const chunk of open.body) expect(chunk.toString()).toBe("x");
    })();
    expect(await failure(reading)).toMatchObject({ code: "network" });
  });

  test("a GET is sent again when the kept connection was closed under it, a POST is not", async () => {
    const used = new WeakSet<Socket>();
    await using server = await startServer((_, response) => {
      const socket = response.socket as Socket;
      if (used.has(socket)) return void socket.destroy();
      used.add(socket);
      sendJson(response, 200, {});
    });
    const transport = to(server);
    await transport.json(GET, never());
    expect(await transport.json(GET, never())).toEqual({});
    expect(server.requests).toHaveLength(3);
    await transport.json(GET, never());
    expect(await failure(transport.json({ method: "POST", path: "/x", body: "{}" }, never()))).toMatchObject({
      code: "network",
    });
    expect(server.requests).toHaveLength(5);
  });
});

describe("time", () => {
  test("no head in time, no end in time", async () => {
    await using silent = await startServer(() => undefined);
    expect(await failure(to(silent, 50).json(GET, never()))).toMatchObject({ code: "timeout" });
    await using slow = await startServer((_, response) => void response.writeHead(200).write("{"));
    expect(await failure(to(slow, 50).json(GET, never()))).toMatchObject({ code: "timeout" });
  });

  test("the caller's signal ends a request, before and in the middle of it", async () => {
    await using server = await startServer((_, response) => void response.writeHead(200).write("{"));
    const transport = to(server);
    expect((await failure(transport.json(GET, AbortSignal.abort("enough")))).cause).toBe("enough");
    const controller = new AbortController();
    const open = await transport.open(GET, controller.signal);
    const reading = (async () => {
      for await (const chunk of open.body) {
        expect(chunk.toString()).toBe("{");
        controller.abort("enough");
      }
    })();
    expect(await failure(reading)).toMatchObject({ code: "network", cause: "enough" });
  });

  test("close ends what is under way, and nothing is sent afterwards", async () => {
    await using server = await startServer(() => undefined);
    const transport = to(server);
    const pending = failure(transport.json(GET, never()));
    while (server.requests.length === 0) await new Promise(setImmediate);
    transport.close();
    transport.close();
    expect(await pending).toMatchObject({ code: "network" });
    expect(await failure(transport.json(GET, never()))).toMatchObject({ code: "network" });
    expect(server.requests).toHaveLength(1);
  });
});

describe("credentials", () => {
  test("after a 401 the kubeconfig is read again", async () => {
    await using server = await startServer(({ headers }, response) =>
      headers.authorization === "Bearer new" ? sendJson(response, 200, {}) : sendStatus(response, 401, "Unauthorized"),
    );
    let loads = 0;
    const transport = transportTo(() => {
      loads += 1;
      return kubeConfigFor(server.url, loads === 1 ? "old" : "new");
    });
    const first = await Promise.all([failure(transport.json(GET, never())), failure(transport.json(GET, never()))]);
    expect(first.map(({ code }) => code)).toEqual(["unauthorized", "unauthorized"]);
    expect(await transport.json(GET, never())).toEqual({});
    expect(loads).toBe(2);
  });

  test("a kubeconfig that can't be read again is an error of the request, until it can", async () => {
    await using server = await startServer(({ headers }, response) =>
      headers.authorization === "Bearer new" ? sendJson(response, 200, {}) : sendStatus(response, 401, "Unauthorized"),
    );
    const loads = [
      () => kubeConfigFor(server.url, "old"),
      () => raise("no such file"),
      () => kubeConfigFor(server.url, "new"),
    ];
    const transport = transportTo(() => loads.shift()!());
    await failure(transport.json(GET, never()));
    expect(await failure(transport.json(GET, never()))).toMatchObject({
      code: "unauthorized",
      message: expect.stringMatching(/no such file/),
    });
    expect(await transport.json(GET, never())).toEqual({});
  });

  test("a service account's token file is read again after a 401", async () => {
    const root = mkdtempSync(join(tmpdir(), "tailrace-"));
    const folder = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "ca.crt"), "");
    writeFileSync(join(folder, "token"), "old");
    try {
      await using server = await startServer(({ headers }, response) =>
        headers.authorization === "Bearer new"
          ? sendJson(response, 200, {})
          : sendStatus(response, 401, "Unauthorized"),
      );
      const config = new KubeConfig();
      config.loadFromCluster(root);
      config.clusters = [{ name: "inCluster", server: server.url, skipTLSVerify: false }];
      const transport = transportTo(config);
      await failure(transport.json(GET, never()));
      writeFileSync(join(folder, "token"), "new");
      expect(await transport.json(GET, never())).toEqual({});
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  test("an exec plugin is started once for requests at the same time, and its failure is an error of the request", async () => {
    const root = mkdtempSync(join(tmpdir(), "tailrace-"));
    const starts = join(root, "starts");
    const credential = JSON.stringify({
      apiVersion: "client.authentication.k8s.io/v1",
      status: { token: "from-plugin" },
    });
    const script = `require("fs").appendFileSync(${JSON.stringify(starts)}, "x"); console.log(${JSON.stringify(credential)})`;
    try {
      await using server = await startServer((_, response) => sendJson(response, 200, {}));
      const transport = transportTo(execConfig(server.url, ["-e", script]));
      await Promise.all(Array.from({ length: 5 }, () => transport.json(GET, never())));
      expect(readFileSync(starts, "utf8")).toBe("x");
      expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(Array(5).fill("Bearer from-plugin"));
      const broken = transportTo(execConfig(server.url, ["-e", 'console.error("no session"); process.exit(1)']));
      expect(await failure(broken.json(GET, never()))).toMatchObject({
        code: "unauthorized",
        message: expect.stringMatching(/no session/),
      });
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  test("a context without a cluster is refused when it is opened", () => {
    expect(() => new Credentials(new KubeConfig())).toThrow(/names no cluster/);
  });
});

function execConfig(server: string, args: string[]): KubeConfig {
  const config = new KubeConfig();
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args };
  config.loadFromClusterAndUser({ name: "test", server, skipTLSVerify: false }, { name: "test", exec });
  return config;
}

function raise(message: string): never {
  throw new Error(message);
}
