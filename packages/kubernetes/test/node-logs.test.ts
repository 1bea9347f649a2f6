import { FILE_START, type FilePlace, type Flow, Hash64, type NodeReadAnswer } from "@tailrace/core";
import type { ServerResponse } from "node:http";
import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { Credentials } from "../src/credentials.ts";
import { ApiServer } from "../src/http/api-server.ts";
import { HttpClient } from "../src/http/client.ts";
import { kubeletGet, kubeletTarget } from "../src/node-logs/kubelet-get.ts";
import { type NodeLogTimes, openNodeLogs } from "../src/node-logs/node-logs.ts";
import { proxyGet } from "../src/node-logs/proxy-get.ts";
import { Transport } from "../src/transport.ts";
import { base64, type KeyPair, makeAuthority, makeCertificate } from "./support/certificates.ts";
import { type Files, serveFile } from "./support/file-server.ts";
import { kubeConfigFor, never, type Received, startServer, type TestServer } from "./support/server.ts";
import { until } from "./support/until.ts";

const UID = "07037fab-6ef4-4d4b-8e02-1e23948001f9";
const PATH = `pods/ns_p_${UID}/c`;
const CURRENT = "0.log";
const ROTATED = "0.log.20261124-143239";
const ZIPPED = `${ROTATED}.gz`;
const MEGABYTE = 1024 * 1024;
const FOLDER = {
  node: { name: "node-1", address: "127.0.0.1" },
  instance: { pod: "p", podUid: UID, container: "c" },
};

let ca: KeyPair;
let certificate: KeyPair;

beforeAll(async () => {
  ca = await makeAuthority();
  certificate = await makeCertificate("kubelet", { ip: ["127.0.0.1"] }, ca);
});

/** Lines that differ in content and length, as a log file. */
function logLines(count: number): Buffer {
  const line = (n: number): string => `2026-11-24T14:32:32.${n}Z stdout F line ${n} ${"x".repeat(n % 200)}\n`;
  return Buffer.from(Array.from({ length: count }, (_, n) => line(n)).join(""));
}

/** The place behind a whole line, at about an offset. */
function placeIn(file: Buffer, about: number): FilePlace {
  const offset = file.indexOf("\n", about) + 1;
  const start = file.lastIndexOf("\n", offset - 2) + 1;
  const entry = Uint8Array.from(file.subarray(start, offset));
  const hash = new Hash64().update(new DataView(entry.buffer), 0, entry.length);
  return { offset, entryBytes: entry.length, entryHash: hash.hex() };
}

interface Answer {
  answer: NodeReadAnswer | undefined;
  error: unknown;
  bytes: Buffer;
}

interface ReadOptions {
  limit?: number | null;
  signal?: AbortSignal;
  take?: (bytes: Buffer, flow: Flow) => boolean;
}

const disposers: (() => PromiseLike<void> | void)[] = [];

afterEach(async () => {
  for (const dispose of disposers.splice(0).toReversed()) await dispose();
});

describe.each(["kubelet", "proxy"] as const)("by %s", (by) => {
  interface Node {
    server: TestServer;
    files: Files;
    /** Answers a request in the place of the file server; `pass` leaves it to that. */
    intercept: (request: Received, response: ServerResponse) => unknown;
    list(signal?: AbortSignal): Promise<string[] | null>;
    read(name: string, place: FilePlace, options?: ReadOptions): Promise<Answer>;
  }

  async function startNode(times?: Partial<NodeLogTimes>, token: () => string = () => "secret"): Promise<Node> {
    const files: Files = new Map();
    const server = await startServer((request, response) => {
      if (node.intercept(request, response) === "pass") serveFile(files, request, response);
    }, certificate);
    const config = () => kubeConfigFor(server.url, token(), { cluster: { caData: base64(ca.cert) } });
    const credentials = new Credentials(config);
    const transport = new Transport(credentials, 5000);
    const client = new HttpClient();
    const port = Number(new URL(server.url).port);
    const logs = openNodeLogs({
      by,
      namespace: "ns",
      get:
        by === "kubelet"
          ? kubeletGet(client, credentials, { port })
          : proxyGet(new ApiServer(credentials, transport, client)),
      times: { headMs: 20_000, silenceMs: 20_000, ...times },
    });
    const node: Node = {
      server,
      files,
      intercept: () => "pass",
      list: (signal = never()) => logs.list(FOLDER, signal),
      async read(name, place, { limit = null, signal = never(), take = () => true } = {}) {
        const parts: Buffer[] = [];
        const keep = (bytes: Uint8Array, flow: Flow): boolean => {
          const copy = Buffer.from(bytes);
          parts.push(copy);
          return take(copy, flow);
        };
        const [answer, error] = await logs.read(FOLDER, { name, place, limit }, keep, signal).then(
          (value) => [value, undefined],
          (reason: unknown) => [undefined, reason],
        );
        return { answer: answer as NodeReadAnswer | undefined, error, bytes: Buffer.concat(parts) };
      },
    };
    disposers.push(
      () => server[Symbol.asyncDispose](),
      () => transport.close(),
      () => client.close(),
    );
    return node;
  }

  describe("list", () => {
    test("gives the names, and asks for the folder alone", async () => {
      const node = await startNode();
      for (const name of [CURRENT, ROTATED, ZIPPED]) node.files.set(`${PATH}/${name}`, Buffer.alloc(0));
      expect(await node.list()).toEqual([CURRENT, ROTATED, ZIPPED]);
      const root = by === "kubelet" ? "/logs/" : "/api/v1/nodes/node-1/proxy/logs/";
      expect(node.server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${root}${PATH}/`]);
      expect(node.server.requests[0]!.headers).toMatchObject({
        authorization: "Bearer secret",
        "accept-encoding": "identity",
      });
    });

    test("of a folder that is not there is null", async () => {
      expect(await (await startNode()).list()).toBeNull();
    });

    test("of a listing without an end is refused", async () => {
      const node = await startNode();
      node.intercept = (_request, response) => {
        response.writeHead(200);
        for (let n = 0; n < 40; n += 1) response.write("x".repeat(64 * 1024));
      };
      await expect(node.list()).rejects.toMatchObject({
        code: "server_error",
        message: expect.stringMatching(/exceeds/),
      });
    });

    test.each([
      [401, "unauthorized"],
      [403, "forbidden"],
      [301, "server_error"],
      [429, "too_many_requests"],
      [500, "server_error"],
    ])("%d is %s", async (status, code) => {
      const node = await startNode();
      node.intercept = (_request, response) => response.writeHead(status).end("words of the server");
      for (const failing of [node.list(), node.read(CURRENT, FILE_START).then(({ error }) => Promise.reject(error))])
        await expect(failing).rejects.toMatchObject({
          name: "ClusterError",
          code,
          status,
          message: expect.stringMatching(/^GET \/logs\/pods.*words of the server$/),
        });
    });

    test("an error without an end is one all the same", async () => {
      const node = await startNode();
      node.intercept = (_request, response) => {
        response.writeHead(500);
        for (let n = 0; n < 40; n += 1) response.write("x".repeat(64 * 1024));
      };
      await expect(node.list()).rejects.toMatchObject({ code: "server_error", status: 500 });
    });
  });

  describe("read", () => {
    test("gives a whole file, and then what is added", async () => {
      const node = await startNode();
      const file = logLines(5000);
      const half = placeIn(file, file.length / 2);
      node.files.set(`${PATH}/${CURRENT}`, file.subarray(0, half.offset));
      const first = await node.read(CURRENT, FILE_START);
      expect(first.answer).toEqual({ kind: "read", bytes: half.offset });
      expect(await node.read(CURRENT, half)).toMatchObject({
        answer: { kind: "read", bytes: 0 },
        bytes: Buffer.alloc(0),
      });
      node.files.set(`${PATH}/${CURRENT}`, file);
      const second = await node.read(CURRENT, half);
      expect(second.answer).toEqual({ kind: "read", bytes: file.length - half.offset });
      expect(Buffer.concat([first.bytes, second.bytes]).equals(file)).toBe(true);
      expect(node.server.requests.map(({ headers }) => headers.range)).toEqual([
        "bytes=0-",
        `bytes=${half.offset - half.entryBytes}-`,
        `bytes=${half.offset - half.entryBytes}-`,
      ]);
      expect(node.server.connections).toBe(1);
    });

    test("of an empty file gives nothing", async () => {
      const node = await startNode();
      node.files.set(`${PATH}/${CURRENT}`, Buffer.alloc(0));
      expect((await node.read(CURRENT, FILE_START)).answer).toEqual({ kind: "read", bytes: 0 });
      const place = placeIn(logLines(10), 50);
      expect((await node.read(CURRENT, place)).answer).toEqual({ kind: "changed" });
    });

    test("of a file that is not there is missing", async () => {
      const node = await startNode();
      expect((await node.read(CURRENT, FILE_START)).answer).toEqual({ kind: "missing" });
      expect((await node.read(ZIPPED, FILE_START)).answer).toEqual({ kind: "missing" });
    });

    test("of another file is changed, whatever its size", async () => {
      const node = await startNode();
      const file = logLines(3000);
      const place = placeIn(file, file.length / 2);
      const other = Buffer.from(file);
      other[place.offset - 3]! ^= 1;
      for (const now of [
        other,
        other.subarray(0, place.offset),
        file.subarray(0, place.offset - 1),
        file.subarray(0, place.offset - place.entryBytes + 1),
        file.subarray(0, place.offset - place.entryBytes),
        file.subarray(0, 100),
      ]) {
        node.files.set(`${PATH}/${CURRENT}`, now);
        node.files.set(`${PATH}/${ZIPPED}`, gzipSync(now));
        for (const name of [CURRENT, ZIPPED])
          expect(await node.read(name, place)).toMatchObject({ answer: { kind: "changed" }, bytes: Buffer.alloc(0) });
      }
    });

    test("gives so many bytes and no more, over one connection", async () => {
      const node = await startNode();
      const file = logLines(3000);
      const place = placeIn(file, 1000);
      node.files.set(`${PATH}/${CURRENT}`, file);
      node.files.set(`${PATH}/${ZIPPED}`, gzipSync(file));
      for (const name of [CURRENT, ZIPPED])
        for (const [from, limit] of [
          [FILE_START, 1],
          [FILE_START, file.length],
          [FILE_START, file.length + 10],
          [place, 1],
          [place, 40_000],
        ] as const) {
          const { answer, bytes } = await node.read(name, from, { limit });
          const wanted = file.subarray(from.offset, from.offset + limit);
          expect(answer).toEqual({ kind: "read", bytes: wanted.length });
          expect(bytes.equals(wanted)).toBe(true);
        }
      expect(node.server.requests[3]!.headers.range).toBe(`bytes=${place.offset - place.entryBytes}-${place.offset}`);
    });

    test("from a server without ranges skips to the place by itself", async () => {
      const node = await startNode();
      const file = logLines(3000);
      node.intercept = (_request, response) => response.writeHead(200).end(file);
      const place = placeIn(file, 100_000);
      const { answer, bytes } = await node.read(CURRENT, place);
      expect(answer).toEqual({ kind: "read", bytes: file.length - place.offset });
      expect(bytes.equals(file.subarray(place.offset))).toBe(true);
      expect(
        (await node.read(CURRENT, place, { limit: 70 })).bytes.equals(file.subarray(place.offset, place.offset + 70)),
      ).toBe(true);
    });

    test("ends where nothing more is wanted, though the answer goes on", async () => {
      const node = await startNode();
      const file = logLines(3000);
      node.intercept = (_request, response) => response.writeHead(200).write(file);
      const place = placeIn(file, 100_000);
      const { answer } = await node.read(CURRENT, place, { limit: 70 });
      expect(answer).toEqual({ kind: "read", bytes: 70 });
      expect((await node.read(CURRENT, { ...place, entryHash: "0" })).answer).toEqual({ kind: "changed" });
    });

    test("without an entry before the place: what ends there has nothing more, what ends before is another file", async () => {
      const node = await startNode();
      node.files.set(`${PATH}/${CURRENT}`, Buffer.from("0123456789"));
      const at = (offset: number): FilePlace => ({ offset, entryBytes: 0, entryHash: "" });
      expect((await node.read(CURRENT, at(10))).answer).toEqual({ kind: "read", bytes: 0 });
      expect((await node.read(CURRENT, at(4))).bytes.toString()).toBe("456789");
      expect((await node.read(CURRENT, at(11))).answer).toEqual({ kind: "changed" });
    });

    test.each([
      ["another range", { "content-range": "bytes 5-9/10" }],
      ["no range", {}],
      ["a coding", { "content-range": "bytes 0-9/10", "content-encoding": "gzip" }],
    ])("an answer with %s is an error", async (_name, headers) => {
      const node = await startNode();
      node.intercept = (_request, response) => response.writeHead(206, headers).end("x");
      const { error, bytes } = await node.read(CURRENT, FILE_START);
      expect(error).toMatchObject({ code: "server_error", status: 206 });
      expect(bytes).toHaveLength(0);
    });

    test("that is cut in the middle is a network error, after the bytes that came", async () => {
      const node = await startNode();
      const file = logLines(3000);
      const zipped = gzipSync(file);
      node.intercept = ({ path }, response) => {
        const body = path.endsWith(".gz") ? zipped : file;
        response.writeHead(200, { "content-length": body.length });
        response.write(body.subarray(0, body.length / 2), () => response.socket!.destroy());
      };
      for (const name of [CURRENT, ZIPPED]) {
        const { error, bytes } = await node.read(name, FILE_START);
        expect(error).toMatchObject({ name: "ClusterError", code: "network" });
        expect(bytes.length).toBeLessThan(file.length);
        expect(file.subarray(0, bytes.length).equals(bytes)).toBe(true);
      }
    });

    test("that stalls is a timeout, before and after its head", async () => {
      const node = await startNode({ headMs: 150, silenceMs: 60 });
      const zipped = gzipSync(logLines(3000));
      node.intercept = ({ path }, response) => {
        if (node.server.requests.length > 2)
          response
            .writeHead(200, { "content-length": 1000 })
            .write(path.endsWith(".gz") ? zipped.subarray(0, 500) : "abc");
      };
      for (const name of [CURRENT, ZIPPED, CURRENT, ZIPPED])
        expect((await node.read(name, FILE_START)).error).toMatchObject({ name: "ClusterError", code: "timeout" });
    });

    test("ends with the signal, also while it is paused", async () => {
      const node = await startNode();
      const file = logLines(20_000);
      node.files.set(`${PATH}/${CURRENT}`, file);
      node.files.set(`${PATH}/${ZIPPED}`, gzipSync(file));
      for (const name of [CURRENT, ZIPPED]) {
        const controller = new AbortController();
        const enough = new Error("enough");
        const reading = node.read(name, FILE_START, {
          signal: controller.signal,
          take: () => {
            void setImmediate().then(() => controller.abort(enough));
            return false;
          },
        });
        expect((await reading).error).toMatchObject({ code: "network", cause: enough });
        expect((await node.read(name, FILE_START, { signal: AbortSignal.abort() })).error).toMatchObject({
          code: "network",
        });
      }
    });

    test("that is stopped rejects: what was read is not all", async () => {
      const node = await startNode();
      const file = logLines(20_000);
      node.files.set(`${PATH}/${CURRENT}`, file);
      node.files.set(`${PATH}/${ZIPPED}`, gzipSync(file));
      for (const name of [CURRENT, ZIPPED]) {
        const { error, bytes } = await node.read(name, FILE_START, {
          take: (_bytes, flow) => {
            flow.stop();
            return true;
          },
        });
        expect(error).toMatchObject({ code: "network", message: expect.stringMatching(/stopped/) });
        expect(bytes.length).toBeLessThan(file.length);
      }
    });

    test("passes on what the taker throws", async () => {
      const node = await startNode();
      const file = logLines(2000);
      node.files.set(`${PATH}/${CURRENT}`, file);
      node.files.set(`${PATH}/${ZIPPED}`, gzipSync(file));
      const mine = new Error("mine");
      for (const name of [CURRENT, ZIPPED]) {
        const take = (): never => {
          throw mine;
        };
        expect((await node.read(name, FILE_START, { take })).error).toBe(mine);
      }
    });

    test("refuses a place that can't be", async () => {
      const node = await startNode();
      for (const place of [
        { offset: 3, entryBytes: 4, entryHash: "" },
        { offset: -1, entryBytes: 0, entryHash: "" },
        { offset: 0.5, entryBytes: 0, entryHash: "" },
      ])
        expect((await node.read(CURRENT, place)).error).toMatchObject({ code: "invalid" });
      expect((await node.read(CURRENT, FILE_START, { limit: 0 })).error).toMatchObject({ code: "invalid" });
      expect((await node.read("../0.log", FILE_START)).error).toMatchObject({ code: "invalid" });
      expect(node.server.requests).toHaveLength(0);
    });
  });

  describe("a compressed file", () => {
    test("is given unzipped from the place on", async () => {
      const node = await startNode();
      const file = logLines(20_000);
      node.files.set(`${PATH}/${ZIPPED}`, gzipSync(file));
      for (const place of [FILE_START, placeIn(file, 1000), placeIn(file, file.length - 100)]) {
        const { answer, bytes } = await node.read(ZIPPED, place);
        expect(answer).toEqual({ kind: "read", bytes: file.length - place.offset });
        expect(bytes.equals(file.subarray(place.offset))).toBe(true);
      }
      expect(node.server.requests.map(({ headers }) => headers.range)).toEqual([undefined, undefined, undefined]);
      expect(node.server.connections).toBe(1);
    });

    test.each([
      ["no gzip", (_zipped: Buffer) => Buffer.from("2026-11-24T14:32:32Z stdout F x\n")],
      ["empty", (_zipped: Buffer) => Buffer.alloc(0)],
      ["not whole", (zipped: Buffer) => zipped.subarray(0, -20)],
      ["damaged", (zipped: Buffer) => Buffer.from(zipped).fill(0xff, zipped.length / 2, zipped.length / 2 + 50)],
    ])("that is %s is a server error", async (_name, spoil) => {
      const node = await startNode();
      node.files.set(`${PATH}/${ZIPPED}`, spoil(gzipSync(logLines(20_000))));
      const { error } = await node.read(ZIPPED, FILE_START);
      expect(error).toMatchObject({
        name: "ClusterError",
        code: "server_error",
        message: expect.stringMatching(/^GET .* gzip/),
      });
    });

    test("is not fetched while nobody takes it", async () => {
      const node = await startNode();
      const file = randomBytes(32 * MEGABYTE);
      const zipped = gzipSync(file, { level: 0 });
      let response: ServerResponse | undefined;
      node.intercept = (_request, given) => {
        response = given;
        given.writeHead(200).end(zipped);
      };
      let flow: Flow | undefined;
      let paused = true;
      const reading = node.read(ZIPPED, FILE_START, {
        take: (_bytes, given) => {
          flow = given;
          return !paused;
        },
      });
      await until(() => flow !== undefined);
      const at = performance.now();
      await until(() => performance.now() - at > 150);
      expect(response!.socket!.writableLength).toBeGreaterThan(16 * MEGABYTE);
      paused = false;
      flow!.resume();
      expect((await reading).bytes.equals(file)).toBe(true);
    });

    test("may be taken with a pause that ends at once", async () => {
      const node = await startNode();
      const file = logLines(20_000);
      node.files.set(`${PATH}/${ZIPPED}`, gzipSync(file));
      const { bytes } = await node.read(ZIPPED, FILE_START, {
        take: (_bytes, flow) => {
          flow.resume();
          return false;
        },
      });
      expect(bytes.equals(file)).toBe(true);
    });

    test("is not unzipped while nobody takes it", async () => {
      const node = await startNode();
      node.files.set(`${PATH}/${ZIPPED}`, gzipSync(Buffer.alloc(256 * MEGABYTE), { level: 1 }));
      let flow: Flow | undefined;
      let pieces = 0;
      let size = 0;
      const reading = node.read(ZIPPED, FILE_START, {
        limit: 32 * MEGABYTE,
        take: (bytes, given) => {
          flow = given;
          pieces += 1;
          size += bytes.length;
          return false;
        },
      });
      await until(() => pieces === 1);
      const before = process.memoryUsage().arrayBuffers;
      for (let n = 0; n < 2000; n += 1) await setImmediate();
      expect(pieces).toBe(1);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MEGABYTE);
      await until(() => {
        flow!.resume();
        return size === 32 * MEGABYTE;
      });
      flow!.resume();
      expect((await reading).answer).toEqual({ kind: "read", bytes: 32 * MEGABYTE });
    });
  });

  test("credentials that were refused are read anew", async () => {
    const tokens = ["old", "new"];
    const node = await startNode({}, () => tokens.shift() ?? "none");
    node.files.set(`${PATH}/${CURRENT}`, Buffer.from("x\n"));
    node.intercept = ({ headers }, response) => {
      if (headers.authorization === "Bearer new") return "pass";
      return response.writeHead(401).end("Unauthorized");
    };
    const all = await Promise.all([node.read(CURRENT, FILE_START), node.read(CURRENT, FILE_START)]);
    for (const { error } of all) expect(error).toMatchObject({ code: "unauthorized", status: 401 });
    expect((await node.read(CURRENT, FILE_START)).bytes.toString()).toBe("x\n");
    expect(await node.list()).toEqual([CURRENT]);
  });

  test("many readers share few connections", async () => {
    const node = await startNode();
    node.files.set(`${PATH}/${CURRENT}`, logLines(2000));
    const all = await Promise.all(Array.from({ length: 100 }, () => node.read(CURRENT, FILE_START)));
    for (const { answer } of all) expect(answer).toMatchObject({ kind: "read" });
    expect(node.server.connections).toBeLessThanOrEqual(16);
  });
});

test("a kubelet at an IPv6 address is named in brackets where a port follows", () => {
  const endpoint = { server: "https://api.example", options: {}, proxyAgent: undefined, generation: 0 };
  expect(kubeletTarget({ name: "node-1", address: "fd00::1" }, endpoint, {})).toMatchObject({
    host: "fd00::1",
    port: 10250,
    authority: "[fd00::1]:10250",
    tls: { names: ["fd00::1", "node-1"], trust: { rejectUnauthorized: true }, verifyFirst: true },
  });
});

test("a kubelet is asked at an address alone", async () => {
  const client = new HttpClient();
  disposers.push(() => client.close());
  const credentials = new Credentials(kubeConfigFor("https://api.example"));
  const logs = openNodeLogs({ by: "kubelet", namespace: "ns", get: kubeletGet(client, credentials, {}) });
  for (const node of [
    { name: "node-1", address: "node-1.example" },
    { name: "node-1", address: "127.0.0.1/x" },
    { name: "a/b", address: "127.0.0.1" },
  ])
    await expect(logs.list({ ...FOLDER, node }, never())).rejects.toMatchObject({ code: "invalid" });
});
