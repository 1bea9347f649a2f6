import { once } from "node:events";
import { type RequestListener, createServer } from "node:http";
import { MAX_BATCH_SIZE } from "@tailrace/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_BATCH_ITEMS } from "../src/client.ts";
import {
  type TailraceClient,
  TailraceClientError,
  createClient,
  isTailraceError,
  parseContainerLogs,
} from "../src/index.ts";
import { ADMIN, type TestServer, demoClient, startServer } from "./server.ts";

let server: TestServer;
let client: TailraceClient;
beforeAll(async () => {
  server = await startServer();
  client = await demoClient(server);
});
afterAll(async () => await server[Symbol.asyncDispose]());

/** What a call rejects with. */
async function failure(call: Promise<unknown>): Promise<TailraceClientError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isTailraceError(error)) throw new Error(`expected a TailraceClientError, got ${String(error)}`);
  return error;
}

/** The failures of a call that reads and of one that writes. */
function bothFail(failing: TailraceClient): Promise<TailraceClientError[]> {
  return Promise.all([failure(failing.teams.list.query()), failure(failing.teams.create.mutate({ name: "n" }))]);
}

async function withServer(listener: RequestListener, use: (origin: string) => Promise<void>): Promise<void> {
  await using http = createServer(listener).listen(0, "127.0.0.1");
  await once(http, "listening");
  const address = http.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await use(`http://127.0.0.1:${address.port}`);
  http.closeAllConnections();
}

describe("calls", () => {
  it("create a run, follow it, stop it", async () => {
    const run = await client.runs.create.mutate({ teamId: "demo", scenarioId: "checkout", parallelism: 2 });
    expect(run).toMatchObject({ status: "pending", parallelism: 2, steps: [{ containerLogs: null }] });
    expect(await client.runs.get.query({ teamId: "demo", runId: run.id })).toEqual(run);
    expect((await client.runs.list.query({ teamId: "demo" })).items.map(({ id }) => id)).toContain(run.id);
    const { text } = await client.logs.snapshot.query({ teamId: "demo", runId: run.id });
    expect(parseContainerLogs(text)).toEqual([]);
    expect((await client.runs.stop.mutate({ teamId: "demo", runId: run.id })).status).toBe("stopping");
  });

  it("read logs in pages, also with more patterns than an address takes", async () => {
    const run = await client.runs.create.mutate({ teamId: "demo", scenarioId: "checkout" });
    const of = { teamId: "demo", runId: run.id };
    expect(await client.logs.streams.query(of)).toEqual({ items: [], nextCursor: null });
    server.requests.length = 0;
    const ten = Array.from({ length: 10 }, (_, at) => `${at}`.repeat(500));
    const patterns = { include: ten, exclude: ten, includeRegex: ten, excludeRegex: ten };
    const [long, short] = await Promise.all([
      client.logs.page.query({ ...of, ...patterns }),
      client.logs.page.query({ ...of, include: ["short"] }),
    ]);
    expect(long).toEqual({
      items: [],
      nextCursor: expect.any(String),
      previousCursor: null,
      complete: true,
      scanned: 0,
    });
    expect(short).toEqual(long);
    expect(server.requests.toSorted()).toEqual(["GET /api/trpc/logs.page", "POST /api/trpc/logs.page"]);
    expect((await client.logs.search.query({ ...of, ...patterns })).matches).toBe(0);
    const error = await failure(client.logs.page.query({ ...of, include: [...ten, "one more"] }));
    expect(error.issues).toEqual([{ path: "include", message: "include must be a list of at most 10 items" }]);
  });

  it("act with the token they are given", async () => {
    const { token } = await client.teams.createToken.mutate({ teamId: "demo", role: "viewer", name: "reader" });
    const viewer = createClient({ url: `${server.origin}/`, token });
    expect((await viewer.teams.list.query()).items.map(({ id }) => id)).toEqual(["demo"]);
    expect(await failure(viewer.runs.create.mutate({ teamId: "demo", scenarioId: "checkout" }))).toMatchObject({
      code: "FORBIDDEN",
    });
    expect(await failure(createClient({ url: server.origin }).teams.list.query())).toMatchObject({
      code: "UNAUTHORIZED",
    });
  });

  it("travel together when they read, never more than the server takes, and alone when they write", async () => {
    expect(MAX_BATCH_ITEMS).toBe(MAX_BATCH_SIZE);
    server.requests.length = 0;
    const count = MAX_BATCH_SIZE * 2 + 1;
    const teams = await Promise.all(Array.from({ length: count }, () => client.teams.get.query({ teamId: "demo" })));
    expect(teams).toHaveLength(count);
    expect(server.requests).toHaveLength(3);
    server.requests.length = 0;
    const script = "x".repeat(1_000_000);
    const create = (id: string) => client.scenarios.create.mutate({ teamId: "demo", id, name: id, script });
    await Promise.all(["a", "b", "c", "d", "e"].map(create));
    expect(server.requests).toEqual(Array.from({ length: 5 }, () => "POST /api/trpc/scenarios.create"));
  });

  it("keep one failure of a batch to its own call", async () => {
    const [missing, team] = await Promise.all([
      failure(client.teams.get.query({ teamId: "nobody" })),
      client.teams.get.query({ teamId: "demo" }),
    ]);
    expect([missing.code, team.id]).toEqual(["NOT_FOUND", "demo"]);
  });

  it("split a batch whose address would be too long", async () => {
    server.requests.length = 0;
    const cursor = "c".repeat(900);
    const lists = Array.from({ length: 10 }, () => failure(client.scenarios.list.query({ teamId: "demo", cursor })));
    for (const error of await Promise.all(lists)) expect(error.issues.map(({ path }) => path)).toEqual(["cursor"]);
    expect(server.requests.length).toBeGreaterThan(1);
  });
});

describe("errors", () => {
  it("name code, fields and request", async () => {
    const input = { teamId: "demo", scenarioId: "checkout", parallelism: 11, comment: "\0" };
    const error = await failure(client.runs.create.mutate(input));
    expect(error).toBeInstanceOf(TailraceClientError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("TailraceClientError");
    expect(error.issues.map(({ path }) => path).toSorted()).toEqual(["comment", "parallelism"]);
    expect(error.message).toBe(error.issues.map(({ message }) => message).join("; "));
    expect(error.requestId).toEqual(expect.any(String));
    expect(isTailraceError(error, "BAD_REQUEST")).toBe(true);
    expect(isTailraceError(error, "CONFLICT")).toBe(false);
    expect(isTailraceError(new Error("other"))).toBe(false);
  });

  it("say which server could not be reached", async () => {
    let origin = "";
    await withServer(
      () => undefined,
      async (free) => void (origin = free),
    );
    for (const error of await bothFail(createClient({ url: origin }))) {
      expect([error.code, error.requestId]).toEqual(["NETWORK", null]);
      expect(error.message).toContain(`could not reach ${origin}: `);
      expect(error.message).toContain("ECONNREFUSED");
      expect(error.cause).toBeInstanceOf(Error);
    }
  });

  it("say that an answer is cut, or is none of Tailrace's", async () => {
    await withServer(
      (_, response) => response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>"),
      async (url) => {
        const error = await failure(createClient({ url }).teams.list.query());
        expect(error.code).toBe("BAD_RESPONSE");
        expect(error.message).toBe(`${url} answered 502 with text/html where JSON was expected`);
      },
    );
    for (const body of ["{", '{"hello":"world"}', "[]", "null", '[{"error":{"code":1,"message":"m","data":{}}}]']) {
      await withServer(
        (_, response) => response.writeHead(200, { "content-type": "application/json" }).end(body),
        async (url) => {
          const errors = await bothFail(createClient({ url }));
          expect([body, ...errors.map(({ code }) => code)]).toEqual([body, "BAD_RESPONSE", "BAD_RESPONSE"]);
        },
      );
    }
  });
});

describe("signals", () => {
  it("end a call, or all calls of a client", async () => {
    await withServer(
      () => undefined,
      async (url) => {
        const one = new AbortController();
        const all = new AbortController();
        const hanging = createClient({ url, signal: all.signal });
        const calls = [
          failure(hanging.teams.list.query(undefined, { signal: one.signal })),
          failure(hanging.teams.create.mutate({ name: "n" })),
        ];
        one.abort();
        expect((await calls[0])?.code).toBe("ABORTED");
        all.abort(new Error("leaving"));
        expect((await calls[1])?.code).toBe("ABORTED");
        expect((await failure(hanging.teams.list.query())).code).toBe("ABORTED");
      },
    );
  });
});

describe("createClient", () => {
  it.each([
    "",
    "localhost:4173",
    "ftp://host",
    "http://host/api",
    "http://host/?a",
    "http://user@host",
    "http://host#x",
  ])("refuses the url %j", (url) => {
    expect(() => createClient({ url })).toThrow(TypeError);
  });

  it.each(["a\nb", "two words", "", "tökén"])("refuses the token %j without repeating it", (token) => {
    expect(() => createClient({ url: server.origin, token })).toThrow(
      /^token must be visible ASCII characters, without spaces and line breaks$/,
    );
  });

  it("uses the fetch that it is given", async () => {
    const seen: string[] = [];
    const counting = createClient({
      url: new URL(server.origin),
      token: ADMIN,
      fetch: async (input, init) => {
        seen.push(new Request(input).url);
        return await fetch(input, init);
      },
    });
    await counting.teams.list.query();
    expect(seen).toEqual([expect.stringContaining(`${server.origin}/api/trpc/teams.list`)]);
  });
});
