import type { Cluster, Flow, PodLogEnd, PodLogStreamRequest } from "@tailrace/core";
import { once } from "node:events";
import http, { type ServerResponse } from "node:http";
import net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { openCluster } from "../src/cluster.ts";
import { silentLogger } from "../src/log.ts";
import { chunkedAnswer, plainAnswer, type RawServer, startRawServer } from "./support/raw-server.ts";
import { kubeConfigFor, never, sendStatus, startServer, type TestServer } from "./support/server.ts";
import { until } from "./support/until.ts";

const REQUEST: PodLogStreamRequest = { pod: "p", container: "c", follow: true, previous: false, sinceTime: null };
const LINES = Array.from({ length: 200 }, (_, n) => `2026-11-24T14:32:32.${String(n).padStart(9, "0")}Z line ${n}\n`);

const disposers: (() => PromiseLike<void> | void)[] = [];

afterEach(async () => {
  for (const dispose of disposers.splice(0).toReversed()) await dispose();
});

function clusterAt(url: string, requestTimeoutMs = 20_000, proxyUrl?: string): Cluster {
  const kubeConfig = kubeConfigFor(url, "secret", proxyUrl === undefined ? {} : { cluster: { proxyUrl } });
  const cluster = openCluster({ kubeConfig, namespace: "ns", requestTimeoutMs, log: silentLogger });
  disposers.push(() => cluster.close());
  return cluster;
}

async function startRaw(answer: RawServer["answer"]): Promise<RawServer> {
  const server = await startRawServer(answer);
  disposers.push(() => server[Symbol.asyncDispose]());
  return server;
}

interface Reading {
  end: PodLogEnd | undefined;
  error: unknown;
  text: string;
}

async function read(
  cluster: Cluster,
  options: {
    request?: Partial<PodLogStreamRequest>;
    signal?: AbortSignal;
    silenceMs?: number;
    take?: (text: string, flow: Flow) => boolean;
  } = {},
): Promise<Reading> {
  const { request, signal = never(), silenceMs = 20_000, take = () => true } = options;
  let text = "";
  const keep = (bytes: Uint8Array, flow: Flow): boolean => {
    text += Buffer.from(bytes).toString();
    return take(text, flow);
  };
  return cluster.podLogs.readPodLogs({ ...REQUEST, ...request }, keep, { signal, silenceMs }).then(
    (end) => ({ end, error: undefined, text }),
    (error: unknown) => ({ end: undefined, error, text }),
  );
}

/** A proxy that makes tunnels, as a kubeconfig's `proxy-url` names one. */
async function startProxy(): Promise<{ url: string; tunnels: number }> {
  const state = { url: "", tunnels: 0 };
  const sockets = new Set<net.Socket>();
  const server = http.createServer();
  server.on("connect", ({ url }, client: net.Socket) => {
    state.tunnels += 1;
    const { hostname, port } = new URL(`http://${url}`);
    const upstream = net.connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  disposers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  state.url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  return state;
}

describe.each(["directly", "through a proxy"] as const)("%s", (how) => {
  async function open(
    answer: (response: ServerResponse, server: TestServer) => void,
    requestTimeoutMs?: number,
  ): Promise<{ server: TestServer; cluster: Cluster; tunnels: () => number }> {
    const server = await startServer((_request, response) => answer(response, server));
    disposers.push(() => server[Symbol.asyncDispose]());
    const proxy = how === "directly" ? undefined : await startProxy();
    const cluster = clusterAt(server.url, requestTimeoutMs, proxy?.url);
    return { server, cluster, tunnels: () => proxy?.tunnels ?? 0 };
  }

  test.each([
    ["all of it", { follow: false }, "container=c&timestamps=true"],
    ["what follows", {}, "container=c&timestamps=true&follow=true"],
    [
      "the instance before, from a time on",
      { follow: false, previous: true, sinceTime: "2026-11-24T14:32:30Z" },
      "container=c&timestamps=true&previous=true&sinceTime=2026-11-24T14%3A32%3A30Z",
    ],
    ["odd names", { container: "a&follow=true", follow: false }, "container=a%26follow%3Dtrue&timestamps=true"],
  ])("asks for %s", async (_name, request, query) => {
    const { server, cluster, tunnels } = await open((response) => response.end());
    await read(cluster, { request });
    expect(tunnels()).toBe(how === "directly" ? 0 : 1);
    expect(server.requests.map(({ path }) => path)).toEqual(["/api/v1/namespaces/ns/pods/p/log"]);
    expect(server.requests[0]!.query.toString()).toBe(query);
    expect(server.requests[0]!.headers.authorization).toBe("Bearer secret");
  });

  test("gives the bytes as they are, to a whole answer's end", async () => {
    const { cluster } = await open((response) => {
      for (const line of LINES) response.write(line);
      response.end("no newline");
    });
    expect(await read(cluster)).toEqual({
      end: { kind: "ended" },
      error: undefined,
      text: `${LINES.join("")}no newline`,
    });
  });

  test("an empty answer is a whole one", async () => {
    const { cluster } = await open((response) => response.writeHead(200).end());
    expect(await read(cluster)).toMatchObject({ end: { kind: "ended" }, text: "" });
  });

  test.each([400, 401, 403, 404, 410, 429, 500, 503])("%d is refused, with its words", async (status) => {
    const { cluster } = await open((response) => sendStatus(response, status, "Reason", "what happened"));
    const { end, text } = await read(cluster);
    expect(end).toMatchObject({ kind: "refused", status, contentType: "application/json" });
    expect(Buffer.from((end as { body: Uint8Array }).body).toString()).toContain("what happened");
    expect(text).toBe("");
  });

  test("204 is refused without words", async () => {
    const { cluster } = await open((response) => response.writeHead(204).end());
    expect((await read(cluster)).end).toEqual({
      kind: "refused",
      status: 204,
      contentType: undefined,
      body: Buffer.alloc(0),
    });
  });

  test("of a refusal's words 64 KiB are kept", async () => {
    const { cluster } = await open((response) => void response.writeHead(500).end("x".repeat(1024 * 1024)));
    const { end } = await read(cluster);
    expect(end).toMatchObject({ kind: "refused", status: 500 });
    expect((end as { body: Uint8Array }).body).toHaveLength(64 * 1024);
  });

  test("a broken connection cuts the answer, after what came", async () => {
    const { cluster } = await open((response) => response.write("abc", () => response.socket!.destroy()));
    const { end, text } = await read(cluster);
    expect(end).toEqual({ kind: "cut", reason: how === "directly" ? "closed" : "reset" });
    expect(text).toBe("abc");
  });

  test("silence cuts the answer, with and without bytes before it", async () => {
    for (const text of ["", "abc"]) {
      const { cluster } = await open((response) => {
        response.flushHeaders();
        if (text !== "") response.write(text);
      });
      expect(await read(cluster, { silenceMs: 150 })).toEqual({
        end: { kind: "cut", reason: "silence" },
        error: undefined,
        text,
      });
    }
  });

  test("a pause is no silence", async () => {
    const { cluster } = await open((response) =>
      response.write("abc", () => setTimeout(() => response.end("def"), 300)),
    );
    const { end, text } = await read(cluster, {
      silenceMs: 150,
      take: (so, flow) => {
        if (so === "abc") setTimeout(() => flow.resume(), 400);
        return so !== "abc";
      },
    });
    expect(end).toEqual({ kind: "ended" });
    expect(text).toBe("abcdef");
  });

  test("whoever takes the bytes may stop, and so may the signal", async () => {
    const { cluster } = await open((response) => response.write("abc"));
    const stopped = await read(cluster, {
      take: (_text, flow) => {
        flow.stop();
        return true;
      },
    });
    expect(stopped).toEqual({ end: { kind: "cut", reason: "stopped" }, error: undefined, text: "abc" });
    const controller = new AbortController();
    const aborted = await read(cluster, {
      signal: controller.signal,
      take: () => {
        setImmediate(() => controller.abort());
        return false;
      },
    });
    expect(aborted).toEqual({ end: { kind: "cut", reason: "aborted" }, error: undefined, text: "abc" });
  });

  test("what the taker throws is passed on", async () => {
    const { cluster } = await open((response) => response.write("abc"));
    const mine = new Error("mine");
    const take = (): never => {
      throw mine;
    };
    expect((await read(cluster, { take })).error).toBe(mine);
  });

  test("no answer is an error: closed, late, or aborted before it", async () => {
    const closed = await open((response) => response.socket!.destroy());
    const { error } = await read(closed.cluster);
    expect(error).toMatchObject({ name: "ClusterError", code: "network" });
    const late = await open(() => undefined, 50);
    expect((await read(late.cluster)).error).toMatchObject({ name: "ClusterError", code: "timeout" });
    const controller = new AbortController();
    const pending = await open(() => controller.abort());
    expect((await read(pending.cluster, { signal: controller.signal })).error).toMatchObject({ code: "network" });
    await pending.cluster.close();
    expect((await read(pending.cluster)).error).toMatchObject({ code: "network" });
  });

  test("a slow taker makes the server wait", async () => {
    let written = 0;
    const { cluster } = await open((response) => {
      const write = (): void => {
        while (written < 256) {
          written += 1;
          if (!response.write(Buffer.alloc(256 * 1024))) return void response.once("drain", write);
        }
        response.end();
      };
      write();
    });
    let flow: Flow | undefined;
    let pieces = 0;
    const reading = read(cluster, {
      take: (_text, given) => {
        flow = given;
        pieces += 1;
        return false;
      },
    });
    let ended = false;
    void reading.then(() => (ended = true));
    await until(() => flow !== undefined);
    let before = -1;
    await until(() => {
      const still = written === before;
      before = written;
      return still;
    });
    const at = performance.now();
    await until(() => performance.now() - at > 100);
    // The rest waits in the sender: the kernel's buffers do not hold 64 MiB.
    expect(written).toBeLessThan(200);
    expect(pieces).toBe(1);
    await until(() => {
      flow!.resume();
      return ended;
    });
    const { end, text } = await reading;
    expect(end).toEqual({ kind: "ended" });
    expect(text).toHaveLength(64 * 1024 * 1024);
  });
});

test("each stream has a connection of its own, and whole ones are used again", async () => {
  const open: ServerResponse[] = [];
  const server = await startServer((_request, response) => {
    response.write("x");
    open.push(response);
  });
  disposers.push(() => server[Symbol.asyncDispose]());
  const cluster = clusterAt(server.url);
  for (let round = 0; round < 2; round += 1) {
    const all = Array.from({ length: 100 }, () => read(cluster));
    await until(() => open.length === 100);
    for (const response of open.splice(0)) response.end();
    for (const { end } of await Promise.all(all)) expect(end).toEqual({ kind: "ended" });
  }
  expect(server.connections).toBe(100);
});

test("a kept connection that was closed under a request: it is sent once more", async () => {
  const server = await startRaw((socket, _request, nth) => {
    if (nth === 0) socket.write(chunkedAnswer(["x"]));
    else socket.destroy();
  });
  const cluster = clusterAt(`http://127.0.0.1:${server.port}`);
  for (let n = 0; n < 3; n += 1) expect(await read(cluster)).toMatchObject({ end: { kind: "ended" }, text: "x" });
  expect(server.requests).toHaveLength(5);
});

test("an answer that is cut at any place is never a whole one", async () => {
  const whole = chunkedAnswer(["2026-11-24T14:32:32Z a\n", "2026-11-24T14:32:33Z b\n"]);
  const head = whole.indexOf("\r\n\r\n") + 4;
  let length = 0;
  const server = await startRaw((socket) => socket.end(whole.subarray(0, length)));
  const cluster = clusterAt(`http://127.0.0.1:${server.port}`);
  for (length = 1; length < whole.length; length += 1) {
    const { end, error } = await read(cluster);
    if (length < head) expect(error).toMatchObject({ code: "network" });
    else expect(end).toEqual({ kind: "cut", reason: "closed" });
  }
  length = whole.length;
  expect(await read(cluster)).toMatchObject({ end: { kind: "ended" } });
});

test("a reset and a broken coding have their own reasons", async () => {
  const server = await startRaw((socket) =>
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", () => server.reset(socket)),
  );
  const cluster = clusterAt(`http://127.0.0.1:${server.port}`);
  expect((await read(cluster)).end).toEqual({ kind: "cut", reason: "reset" });
  server.answer = (socket) => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz");
  expect((await read(cluster)).end).toEqual({ kind: "cut", reason: "malformed" });
});

test("a refusal that is cut is no answer", async () => {
  const server = await startRaw((socket) => socket.end(plainAnswer("0123456789", "400 Bad Request").subarray(0, -1)));
  expect((await read(clusterAt(`http://127.0.0.1:${server.port}`))).error).toMatchObject({ code: "network" });
});

test("nothing listens", async () => {
  const server = await startRawServer(() => undefined);
  await server[Symbol.asyncDispose]();
  expect((await read(clusterAt(`http://127.0.0.1:${server.port}`))).error).toMatchObject({ code: "network" });
});

test("credentials that were refused are read anew", async () => {
  const server = await startServer(({ headers }, response) => {
    if (headers.authorization === "Bearer new") response.end("x");
    else sendStatus(response, 401, "Unauthorized");
  });
  disposers.push(() => server[Symbol.asyncDispose]());
  const tokens = ["old", "new"];
  const kubeConfig = () => kubeConfigFor(server.url, tokens.shift() ?? "none");
  const cluster = openCluster({ kubeConfig, namespace: "ns", log: silentLogger });
  disposers.push(() => cluster.close());
  expect((await read(cluster)).end).toMatchObject({ kind: "refused", status: 401 });
  expect(await read(cluster)).toMatchObject({ end: { kind: "ended" }, text: "x" });
});
