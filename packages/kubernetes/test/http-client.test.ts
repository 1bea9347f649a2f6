import type { Flow, TakeBytes } from "@tailrace/core";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type net from "node:net";
import type tls from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { HttpClient, type PoolChoice } from "../src/http/client.ts";
import type { Target } from "../src/http/connect.ts";
import { ExchangeError } from "../src/http/failure.ts";
import type { AnswerHead } from "../src/http/response-head.ts";
import { makeAuthority, makeCertificate } from "./support/certificates.ts";
import { chunkedAnswer, plainAnswer, type RawServer, startRawServer } from "./support/raw-server.ts";
import { never } from "./support/server.ts";
import { until } from "./support/until.ts";

const HEAD = "HTTP/1.1 200 OK\r\n";
const MEGABYTE = 1024 * 1024;

let serverTls: tls.TlsOptions;
let ca: string;

beforeAll(async () => {
  const authority = await makeAuthority();
  ca = authority.cert;
  serverTls = await makeCertificate("server", { ip: ["127.0.0.1"] }, authority);
});

const opened: HttpClient[] = [];

function newClient(idleMs?: number): HttpClient {
  const client = new HttpClient(idleMs);
  opened.push(client);
  return client;
}

afterEach(() => {
  for (const client of opened.splice(0)) client.close();
});

interface Got {
  head: AnswerHead | undefined;
  body: Buffer;
  error: unknown;
}

interface GetOptions {
  signal?: AbortSignal;
  headMs?: number;
  silenceMs?: number;
  /** Wraps the taker that keeps everything. */
  take?: (keep: TakeBytes) => TakeBytes;
}

describe.each(["http", "https"] as const)("over %s", (protocol) => {
  const start = (answer: RawServer["answer"]): Promise<RawServer> =>
    startRawServer(answer, protocol === "http" ? undefined : serverTls);

  function targetOf({ port }: RawServer): Target {
    const authority = `127.0.0.1:${port}`;
    return { host: "127.0.0.1", port, authority, tls: protocol === "http" ? null : { trust: { ca }, identity: {} } };
  }

  const choice = (server: RawServer, limit = 16): PoolChoice => ({ name: "test", target: targetOf(server), limit });

  async function get(client: HttpClient, pool: PoolChoice, path = "/", options: GetOptions = {}): Promise<Got> {
    const parts: Buffer[] = [];
    const keep: TakeBytes = (bytes) => parts.push(Buffer.from(bytes)) > 0;
    const { signal = never(), headMs = 20_000, silenceMs = 20_000, take = (same: TakeBytes) => same } = options;
    let head: AnswerHead | undefined;
    const onHead = (given: AnswerHead): TakeBytes => {
      head = given;
      return take(keep);
    };
    const error: unknown = await client.get(pool, { path, headers: {} }, onHead, { signal, headMs, silenceMs }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { head, body: Buffer.concat(parts), error };
  }

  describe("connections", () => {
    test("are used again, one after the other", async () => {
      await using server = await start((socket, request, nth) =>
        socket.write(nth % 2 === 0 ? plainAnswer(request.split(" ")[1]!) : chunkedAnswer(["a", "b"])),
      );
      const client = newClient();
      for (let n = 0; n < 20; n += 1) {
        const { body, error } = await get(client, choice(server), `/${n}`);
        expect(error).toBeUndefined();
        expect(body.toString()).toBe(n % 2 === 0 ? `/${n}` : "ab");
      }
      expect(server.connections).toBe(1);
      expect(server.requests).toHaveLength(20);
    });

    test("are as many as allowed, and the others wait in their order", async () => {
      const open: (() => void)[] = [];
      await using server = await start((socket, request) => {
        open.push(() => socket.write(plainAnswer(request.split(" ")[1]!)));
      });
      const client = newClient();
      const answers: string[] = [];
      const ask = async (n: number): Promise<void> => {
        const { body } = await get(client, choice(server, 3), `/${n}`);
        answers.push(body.toString());
      };
      const all = Array.from({ length: 8 }, (_, n) => ask(n));
      for (let n = 0; n < 9; n += 1) {
        await until(() => open.length > n);
        if (n === 0) await until(() => open.length === 3);
        // One that comes later stands behind those that wait.
        if (n === 3) all.push(ask(8));
        open[n]!();
        await until(() => answers.length === n + 1);
      }
      await Promise.all(all);
      expect(answers).toEqual(Array.from({ length: 9 }, (_, n) => `/${n}`));
      expect(server.connections).toBe(3);
    });

    test("that the server closed while they rested are not used", async () => {
      let last: net.Socket | undefined;
      await using server = await start((socket) => {
        last = socket;
        socket.write(plainAnswer("x"));
      });
      const client = newClient();
      await get(client, choice(server));
      const closed = once(last!, "close");
      last!.end();
      await closed;
      expect((await get(client, choice(server))).error).toBeUndefined();
      expect(server.connections).toBe(2);
      expect(server.requests).toHaveLength(2);
    });

    test("that are closed at the moment of the next request: it is sent once more, and once only", async () => {
      await using server = await start((socket, _request, nth) => {
        if (nth === 1) socket.destroy();
        else socket.write(plainAnswer("x"));
      });
      const client = newClient();
      await get(client, choice(server));
      expect(await get(client, choice(server))).toMatchObject({ error: undefined, body: Buffer.from("x") });
      expect(server.requests).toHaveLength(3);
      server.answer = (socket) => socket.destroy();
      expect(await get(client, choice(server))).toMatchObject({ error: { reason: /closed|reset/ } });
      expect(server.requests).toHaveLength(5);
    });

    test("that are cut after the first byte of an answer: it is not sent again", async () => {
      await using server = await start((socket, _request, nth) => {
        if (nth === 0) socket.write(plainAnswer("x"));
        else socket.write("H", () => socket.destroy());
      });
      const client = newClient();
      await get(client, choice(server));
      const { error, head } = await get(client, choice(server));
      expect(error).toMatchObject({ unanswered: false });
      expect(head).toBeUndefined();
      expect(server.requests).toHaveLength(2);
    });

    test("that say more than was asked are closed", async () => {
      await using server = await start((socket) =>
        socket.write(Buffer.concat([plainAnswer("x"), plainAnswer("a wrong answer")])),
      );
      const client = newClient();
      for (let n = 1; n < 4; n += 1) {
        expect((await get(client, choice(server))).body.toString()).toBe("x");
        expect(server.connections).toBe(n);
      }
    });

    test("that say something while they rest are closed", async () => {
      let last: net.Socket | undefined;
      await using server = await start((socket) => {
        last = socket;
        socket.write(plainAnswer("x"));
      });
      const client = newClient();
      await get(client, choice(server));
      const closed = once(last!, "close");
      last!.write(plainAnswer("a wrong answer"));
      await closed;
      expect((await get(client, choice(server))).body.toString()).toBe("x");
      expect(server.connections).toBe(2);
    });

    test("are closed when nobody has used them for a time", async () => {
      let ended = 0;
      await using server = await start((socket) => {
        socket.on("close", () => (ended += 1));
        socket.write(plainAnswer("x"));
      });
      const client = newClient(30);
      await get(client, choice(server));
      await until(() => ended === 1);
    });

    test("are not closed while an answer is waited for", async () => {
      await using server = await start((socket, _request, nth) => {
        if (nth === 0) socket.write(plainAnswer("x"));
        else setTimeout(() => socket.write(plainAnswer("late")), 120);
      });
      const client = newClient(40);
      await get(client, choice(server));
      expect((await get(client, choice(server))).body.toString()).toBe("late");
      expect(server.connections).toBe(1);
    });

    test("belong to the certificates that they were made with", async () => {
      await using server = await start((socket) => socket.write(plainAnswer("x")));
      const client = newClient();
      await get(client, choice(server));
      const renewed = { ...choice(server), target: { ...targetOf(server), authority: "renewed" } };
      await get(client, renewed);
      await get(client, { ...renewed, target: { ...renewed.target } });
      expect(server.connections).toBe(2);
    });

    test("are refused: the error says so", async () => {
      const server = await start(() => undefined);
      await server[Symbol.asyncDispose]();
      const { error } = await get(newClient(), choice(server));
      expect(error).toMatchObject({ reason: "connect", message: expect.stringContaining("ECONNREFUSED") });
    });

    test("end with the client, those too that wait", async () => {
      await using server = await start(() => undefined);
      const client = newClient();
      const all = [1, 2, 3].map(() => get(client, choice(server, 1)));
      await until(() => server.requests.length === 1);
      client.close();
      client.close();
      for (const { error } of await Promise.all(all)) expect(error).toMatchObject({ reason: "closed" });
      expect((await get(client, choice(server))).error).toMatchObject({ reason: "closed" });
      expect(server.connections).toBe(1);
    });
  });

  describe("an answer", () => {
    test("comes whole, wherever the wire is cut", async () => {
      const chunks = Array.from({ length: 50 }, (_, n) => `line ${n}\n`);
      const answers = [plainAnswer(chunks.join("")), chunkedAnswer(chunks)];
      await using server = await start((socket, _request, nth) => {
        const answer = answers[nth % 2]!;
        const write = (at: number): void => {
          if (at >= answer.length) return;
          socket.write(answer.subarray(at, at + 1 + (at % 7)), () => write(at + 1 + (at % 7)));
        };
        socket.setNoDelay(true);
        write(0);
      });
      const client = newClient();
      for (let n = 0; n < 4; n += 1) expect((await get(client, choice(server))).body.toString()).toBe(chunks.join(""));
    });

    test("that ends with the connection is whole when it is closed, and cut when it is reset", async () => {
      await using server = await start((socket, request) => {
        socket.write(`${HEAD}\r\nabc`, () => {
          if (request.startsWith("GET /reset")) server.reset(socket);
          else socket.end();
        });
      });
      const client = newClient();
      expect(await get(client, choice(server))).toMatchObject({ error: undefined, body: Buffer.from("abc") });
      expect((await get(client, choice(server), "/reset")).error).toMatchObject({ reason: "reset" });
    });

    test("that is cut anywhere is an error, by a close and by a reset", async () => {
      const answers = [plainAnswer("0123456789"), chunkedAnswer(["01234", "56789"])];
      let answer: Buffer | undefined;
      let cut: (socket: net.Socket) => void;
      await using server = await start((socket) => {
        if (answer!.length === 0) cut(socket);
        else socket.write(answer!, () => cut(socket));
      });
      const client = newClient();
      for (const whole of answers)
        for (cut of [(socket: net.Socket) => void socket.end(), (socket: net.Socket) => server.reset(socket)])
          for (let length = 0; length < whole.length; length += 3) {
            answer = whole.subarray(0, length);
            const { error, body } = await get(client, choice(server));
            expect(error).toBeInstanceOf(ExchangeError);
            expect(["closed", "reset"]).toContain((error as ExchangeError).reason);
            expect("0123456789".startsWith(body.toString())).toBe(true);
          }
    });

    test("that is no HTTP is malformed", async () => {
      await using server = await start((socket) => socket.write("220 mail.example ESMTP\r\n"));
      expect((await get(newClient(), choice(server))).error).toMatchObject({ reason: "malformed" });
    });
  });

  describe("times", () => {
    test("no head in time, no byte in time", async () => {
      await using server = await start((socket, request) => {
        if (request.startsWith("GET /body")) socket.write(`${HEAD}Content-Length: 5\r\n\r\nab`);
      });
      const client = newClient();
      expect((await get(client, choice(server), "/", { headMs: 50 })).error).toMatchObject({ reason: "timeout" });
      const { error, body } = await get(client, choice(server), "/body", { silenceMs: 50 });
      expect(error).toMatchObject({ reason: "silence" });
      expect(body.toString()).toBe("ab");
    });

    test("each byte begins the silence anew, and what is paused is not silent", async () => {
      let more: ((text: string) => void) | undefined;
      await using server = await start((socket) => {
        socket.write(`${HEAD}Content-Length: 8\r\n\r\n`);
        more = (text) => void socket.write(text);
      });
      let flow: Flow | undefined;
      let taken = "";
      const silenceMs = 400;
      const begun = performance.now();
      const getting = get(newClient(), choice(server), "/", {
        silenceMs,
        take: (keep) => (bytes, given) => {
          flow = given;
          taken += Buffer.from(bytes).toString();
          keep(bytes, given);
          return taken.length < 4;
        },
      });
      await until(() => more !== undefined);
      for (const text of ["a", "b", "c", "d"]) {
        const before = taken.length;
        more!(text);
        await until(() => taken.length > before);
        const at = performance.now();
        await until(() => performance.now() - at > silenceMs / 2);
      }
      // Paused since the last of them.
      await until(() => performance.now() - begun > silenceMs * 4);
      more!("efgh");
      flow!.resume();
      const { error, body } = await getting;
      expect(error).toBeUndefined();
      expect(body.toString()).toBe("abcdefgh");
    });

    test("after a pause the silence counts again", async () => {
      await using server = await start((socket) => socket.write(`${HEAD}Content-Length: 8\r\n\r\nabcd`));
      let flow: Flow | undefined;
      const getting = get(newClient(), choice(server), "/", {
        silenceMs: 50,
        take: (keep) => (bytes, given) => {
          flow = given;
          keep(bytes, given);
          return false;
        },
      });
      await until(() => flow !== undefined);
      flow!.resume();
      expect((await getting).error).toMatchObject({ reason: "silence" });
    });

    test("the wait for a connection does not count", async () => {
      const open: (() => void)[] = [];
      await using server = await start((socket) => {
        open.push(() => socket.write(plainAnswer("x")));
      });
      const client = newClient();
      const first = get(client, choice(server, 1), "/first");
      const second = get(client, choice(server, 1), "/second", { headMs: 150 });
      await until(() => open.length === 1);
      const waited = performance.now();
      await until(() => performance.now() - waited > 200);
      open[0]!();
      await first;
      await until(() => open.length === 2);
      open[1]!();
      expect((await second).error).toBeUndefined();
    });
  });

  describe("a signal", () => {
    test("ends a request before it is sent, while it waits, before its head and in its body", async () => {
      await using server = await start((socket, request) => {
        if (request.startsWith("GET /body")) socket.write(`${HEAD}Content-Length: 5\r\n\r\nab`);
      });
      const client = newClient();
      const enough = new Error("enough");
      const aborted = { reason: "aborted", cause: enough };
      expect((await get(client, choice(server), "/", { signal: AbortSignal.abort(enough) })).error).toMatchObject(
        aborted,
      );
      expect(server.connections).toBe(0);
      const head = new AbortController();
      const before = get(client, choice(server, 1), "/", { signal: head.signal });
      const queued = new AbortController();
      const waiting = get(client, choice(server, 1), "/", { signal: queued.signal });
      await until(() => server.requests.length === 1);
      queued.abort(enough);
      expect((await waiting).error).toMatchObject(aborted);
      head.abort(enough);
      expect((await before).error).toMatchObject(aborted);
      const body = new AbortController();
      const { error } = await get(client, choice(server), "/body", {
        signal: body.signal,
        take: (keep) => (bytes, flow) => {
          body.abort(enough);
          return keep(bytes, flow);
        },
      });
      expect(error).toMatchObject(aborted);
      expect(server.requests).toHaveLength(2);
    });

    test("ends a request that is paused, and one whose connection is being made", async () => {
      await using server = await start((socket) => socket.write(`${HEAD}Content-Length: 5\r\n\r\nab`));
      const client = newClient();
      const paused = new AbortController();
      const { error } = await get(client, choice(server), "/", {
        signal: paused.signal,
        take: () => () => {
          setImmediate(() => paused.abort());
          return false;
        },
      });
      expect(error).toMatchObject({ reason: "aborted" });
      const making = new AbortController();
      const getting = get(client, choice(server), "/", { signal: making.signal });
      making.abort();
      expect((await getting).error).toMatchObject({ reason: "aborted" });
      expect(server.requests).toHaveLength(1);
    });
  });

  describe("whoever takes the bytes", () => {
    test("is given no more until it resumes; the server has to wait, and nothing is lost", async () => {
      const whole = Buffer.alloc(32 * MEGABYTE);
      for (let at = 0; at < whole.length; at += 4) whole.writeUInt32LE(at, at);
      let socket: net.Socket | undefined;
      await using server = await start((given) => {
        socket = given;
        given.write(plainAnswer(whole));
      });
      let flow: Flow | undefined;
      let pauses = 0;
      let size = 0;
      let given = 0;
      const client = newClient();
      const getting = get(client, choice(server), "/", {
        take: (keep) => (bytes, under) => {
          flow = under;
          keep(bytes, under);
          size += bytes.length;
          given += 1;
          if (pauses === 0 || size > pauses * 8 * MEGABYTE) {
            pauses += 1;
            return false;
          }
          return true;
        },
      });
      await until(() => pauses === 1);
      // What the kernel's buffers take is taken; then the writer stands still.
      let left = -1;
      await until(() => {
        const same = socket!.bytesWritten > 0 && socket!.writableLength === left;
        left = socket!.writableLength;
        return same;
      });
      const stillAt = performance.now();
      await until(() => performance.now() - stillAt > 100);
      expect(given).toBe(1);
      expect(socket!.writableLength).toBeGreaterThan(16 * MEGABYTE);
      for (let wanted = 2; wanted <= 4; wanted += 1) {
        flow!.resume();
        await until(() => pauses === wanted);
      }
      flow!.resume();
      const { error, body } = await getting;
      expect(error).toBeUndefined();
      expect(body.equals(whole)).toBe(true);
      server.answer = (on) => on.write(plainAnswer("next"));
      expect((await get(client, choice(server))).body.toString()).toBe("next");
      expect(server.connections).toBe(1);
    });

    test("may pause at every piece, and resume at once or later", async () => {
      const lines = Array.from({ length: 3000 }, (_, n) => `line ${n}\n`);
      await using server = await start((socket) => socket.write(chunkedAnswer(lines)));
      const client = newClient();
      for (const resume of [(flow: Flow) => flow.resume(), (flow: Flow) => setImmediate(() => flow.resume())]) {
        const { error, body } = await get(client, choice(server), "/", {
          take: (keep) => (bytes, flow) => {
            keep(bytes, flow);
            resume(flow);
            return false;
          },
        });
        expect(error).toBeUndefined();
        expect(body.toString()).toBe(lines.join(""));
      }
      expect((await get(client, choice(server))).error).toBeUndefined();
      expect(server.connections).toBe(1);
    });

    test("gets what came before the connection's end, though it was paused then", async () => {
      await using server = await start((socket) => {
        socket.cork();
        for (let n = 0; n < 4; n += 1) socket.write(n === 0 ? `${HEAD}\r\n0` : String(n));
        socket.uncork();
        socket.end();
      });
      let flow: Flow | undefined;
      let ended = false;
      const getting = get(newClient(), choice(server), "/", {
        take: (keep) => (bytes, given) => {
          flow = given;
          keep(bytes, given);
          return false;
        },
      }).finally(() => (ended = true));
      await until(() => flow !== undefined);
      await until(() => {
        flow!.resume();
        return ended;
      });
      const { error, body } = await getting;
      expect(error).toBeUndefined();
      expect(body.toString()).toBe("0123");
    });

    test("may stop, and its connection is closed", async () => {
      let closed = 0;
      await using server = await start((socket) => {
        socket.on("close", () => (closed += 1));
        socket.write(`${HEAD}Content-Length: 5\r\n\r\nab`);
      });
      const { error } = await get(newClient(), choice(server), "/", {
        take: () => (_bytes, flow) => {
          flow.stop();
          return true;
        },
      });
      expect(error).toMatchObject({ reason: "stopped" });
      await until(() => closed === 1);
    });

    test("may throw, and so may whoever looks at the head: that is the error", async () => {
      await using server = await start((socket) => socket.write(plainAnswer("ab")));
      const client = newClient();
      const mine = new Error("mine");
      const raise = (): never => {
        throw mine;
      };
      expect((await get(client, choice(server), "/", { take: () => raise })).error).toBe(mine);
      expect((await get(client, choice(server), "/", { take: raise })).error).toBe(mine);
      expect((await get(client, choice(server))).error).toBeUndefined();
    });

    test("can do nothing any more after the end", async () => {
      await using server = await start((socket, request) => {
        socket.write(request.startsWith("GET /long") ? `${HEAD}Content-Length: 4\r\n\r\nab` : plainAnswer("x"));
        if (request.startsWith("GET /long")) setImmediate(() => socket.write("cd"));
      });
      const client = newClient();
      let old: Flow | undefined;
      await get(client, choice(server), "/", {
        take: (keep) => (bytes, flow) => {
          old = flow;
          keep(bytes, flow);
          return false;
        },
      });
      const { error, body } = await get(client, choice(server), "/long", {
        take: (keep) => (bytes, flow) => {
          old!.resume();
          old!.stop();
          return keep(bytes, flow);
        },
      });
      expect(error).toBeUndefined();
      expect(body.toString()).toBe("abcd");
      expect(server.connections).toBe(1);
    });
  });
});

test("a connection that rests does not keep the process", async () => {
  await using server = await startRawServer((socket) => socket.write(plainAnswer("x")));
  const program = `
import { HttpClient } from "../src/http/client.ts";
const target = { host: "127.0.0.1", port: ${server.port}, authority: "x", tls: null };
const limits = { signal: new AbortController().signal, headMs: 5000, silenceMs: 5000 };
await new HttpClient().get({ name: "x", target, limit: 1 }, { path: "/", headers: {} }, () => () => true, limits);
console.log("done");
`;
  const args = ["--conditions=source", "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  expect(code).toBe(0);
});
