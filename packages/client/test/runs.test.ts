import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backoff } from "../src/backoff.ts";
import { isPassing } from "../src/error.ts";
import { type TailraceClient, TailraceClientError, createClient } from "../src/index.ts";
import { persist } from "../src/runs/persist.ts";
import { ADMIN, type TestServer, demoClient, startServer } from "./server.ts";

let server: TestServer;
let client: TailraceClient;
beforeAll(async () => {
  server = await startServer();
  client = await demoClient(server);
});
afterAll(async () => await server[Symbol.asyncDispose]());

const wanted = { teamId: "demo", scenarioId: "checkout" };

/** A client whose requests meet what `meet` does instead of, before or behind the real one. */
function clientThat(
  meet: (send: () => Promise<Response>, request: { count: number; path: string }) => Promise<Response>,
  options: { retry?: number; signal?: AbortSignal } = {},
): TailraceClient & { requests: string[] } {
  const requests: string[] = [];
  const made = createClient({
    url: server.origin,
    token: ADMIN,
    ...options,
    fetch: async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : String(input));
      requests.push(pathname);
      return await meet(() => fetch(input, init), { count: requests.length, path: pathname });
    },
  });
  return new Proxy(made, {
    get: (target, key): unknown => (key === "requests" ? requests : Reflect.get(target, key)),
  }) as TailraceClient & { requests: string[] };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const badGateway = (): Response =>
  new Response("<h1>bad gateway</h1>", { status: 502, headers: { "content-type": "text/html" } });

describe("a call that reads", () => {
  it("is made again while the server is away, and no more often than was asked for", async () => {
    const flaky = clientThat(async (send, { count }) => (count <= 2 ? badGateway() : await send()));
    expect((await flaky.teams.get.query({ teamId: "demo" })).id).toBe("demo");
    expect(flaky.requests).toHaveLength(3);
    const away = clientThat(async () => badGateway(), { retry: 1 });
    await expect(away.teams.list.query()).rejects.toMatchObject({ code: "BAD_RESPONSE", status: 502 });
    expect(away.requests).toHaveLength(2);
    const once = clientThat(async () => badGateway(), { retry: 0 });
    await expect(once.teams.list.query()).rejects.toMatchObject({ code: "BAD_RESPONSE" });
    expect(once.requests).toHaveLength(1);
  });

  it("is made again where its answer broke off", async () => {
    const cut = clientThat(async (send, { count }) => {
      const response = await send();
      if (count > 1) return response;
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode("[{"));
          controller.error(new Error("cut"));
        },
      });
      return new Response(body, { headers: response.headers });
    });
    expect((await cut.teams.get.query({ teamId: "demo" })).id).toBe("demo");
    expect(cut.requests).toHaveLength(2);
  });

  it("is not made again where the server refuses it, nor is one that writes", async () => {
    const refused = clientThat((send) => send());
    await expect(refused.teams.get.query({ teamId: "nobody" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      status: 404,
    });
    expect(refused.requests).toHaveLength(1);
    const away = clientThat(async () => badGateway());
    await expect(away.teams.create.mutate({ name: "n" })).rejects.toMatchObject({ code: "BAD_RESPONSE" });
    expect(away.requests).toHaveLength(1);
  });
});

describe("runs.start", () => {
  it("gives the run's handle, and starts one run also where the first answer is lost", async () => {
    const lossy = clientThat(async (send, { count }) => {
      const response = await send();
      if (count > 1) return response;
      await response.text();
      throw new TypeError("fetch failed", { cause: new Error("other side closed") });
    });
    const comment = "with a lost answer";
    const run = await lossy.runs.start({ ...wanted, comment, idempotencyKey: undefined });
    expect(lossy.requests).toEqual(["/api/trpc/runs.create", "/api/trpc/runs.create"]);
    const { items } = await client.runs.list.query({ teamId: "demo" });
    expect(items.filter((item) => item.comment === comment).map(({ id }) => id)).toEqual([run.id]);
    expect(run.teamId).toBe("demo");
    await run.stop();
  });

  it("fails at once where the server refuses, and with an input's own key for another request", async () => {
    await expect(client.runs.start({ ...wanted, scenarioId: "nothing" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    const run = await client.runs.start({ ...wanted, idempotencyKey: "the-same" });
    await run.stop();
    const other = client.runs.start({ ...wanted, comment: "other", idempotencyKey: "the-same" });
    await expect(other).rejects.toMatchObject({ code: "CONFLICT", status: 409 });
  });
});

describe("a run's handle", () => {
  it("says where the run stands without its logs, and asks to be told of changes", async () => {
    const run = await client.runs.start(wanted);
    const progress = await run.progress();
    expect(progress).toMatchObject({ id: run.id, status: "pending", steps: [{ status: "pending", error: null }] });
    expect(progress.steps[0]).not.toHaveProperty("containerLogs");
    const steps = run.steps();
    expect((await steps.next()).value).toMatchObject({ status: "pending" });
    const next = steps.next();
    await run.stop();
    expect((await next).value).toMatchObject({ status: "stopping" });
    await steps.return();
  });

  it("holds a question for what is not known yet as long as it may, and one for what is known not at all", async () => {
    const run = await client.runs.start(wanted);
    const of = { teamId: "demo", runId: run.id };
    const { revision } = await run.progress();
    const started = performance.now();
    expect((await client.runs.progress.query({ ...of, known: revision, wait: "300ms" })).revision).toBe(revision);
    expect(performance.now() - started).toBeGreaterThan(290);
    expect((await client.runs.progress.query({ ...of, known: "another", wait: "30s" })).revision).toBe(revision);
    expect(performance.now() - started).toBeLessThan(10_000);
    await run.stop();
  });

  it("ends what it follows where the signal aborts", async () => {
    const run = await client.runs.start(wanted);
    const controller = new AbortController();
    const following = all(run.logs({ follow: true, signal: controller.signal }));
    const waiting = run.wait({ signal: controller.signal });
    const ended = Promise.allSettled([following, waiting]);
    await delay(50);
    controller.abort();
    const aborted = { status: "rejected", reason: { code: "ABORTED" } };
    expect(await ended).toMatchObject([aborted, aborted]);
    await run.stop();
  });

  it("has no lines where nothing is stored, and says so of its text", async () => {
    const run = await client.runs.start(wanted);
    expect(await all(run.logs())).toEqual([]);
    await expect(run.text()).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("no logs yet"),
    });
    await run.stop();
  });

  it("says which field of a download is wrong, and what is not there", async () => {
    const run = await client.runs.start(wanted);
    await expect(run.download({ format: "raw" })).rejects.toMatchObject({
      code: "BAD_REQUEST",
      status: 400,
      requestId: expect.any(String),
      issues: [{ path: "pod" }, { path: "container" }],
    });
    const missing = client.runs.open({ teamId: "demo", runId: "nothing" });
    await expect(missing.text()).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(missing.wait()).rejects.toMatchObject({ code: "NOT_FOUND" });
    const headers = { "content-type": "application/problem+json" };
    for (const answer of [
      badGateway,
      ...["{", "null", '{"title":"another"}'].map((body) => () => new Response(body, { status: 502, headers })),
    ]) {
      const away = clientThat(async () => answer()).runs.open({ teamId: "demo", runId: run.id });
      await expect(away.download()).rejects.toMatchObject({ code: "BAD_RESPONSE", status: 502 });
    }
    await run.stop();
  });
});

describe("persist", () => {
  const network = new TailraceClientError("NETWORK", "away");

  it("goes on while the failure passes, and throws it when patience is at its end", async () => {
    let calls = 0;
    const call = async (): Promise<string> => {
      calls += 1;
      if (calls < 3) throw network;
      return "there";
    };
    expect(await persist(call, {}, undefined)).toBe("there");
    expect(calls).toBe(3);
    const started = performance.now();
    await expect(persist(() => Promise.reject(network), { patienceMs: 300 }, undefined)).rejects.toBe(network);
    expect(performance.now() - started).toBeGreaterThanOrEqual(300);
  });

  it("throws another failure at once", async () => {
    const refused = new TailraceClientError("FORBIDDEN", "no");
    let calls = 0;
    const call = async (): Promise<never> => {
      calls += 1;
      throw refused;
    };
    await expect(persist(call, {}, undefined)).rejects.toBe(refused);
    expect(calls).toBe(1);
  });

  it("ends with the call's signal and with the client's", async () => {
    for (const own of [true, false]) {
      const controller = new AbortController();
      const { signal } = controller;
      const waiting = persist(() => Promise.reject(network), own ? { signal } : {}, own ? undefined : signal);
      setTimeout(() => controller.abort(), 20);
      await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    }
  });
});

describe("isPassing", () => {
  it.each([
    ["NETWORK", null, true],
    ["UNAVAILABLE", 503, true],
    ["BAD_RESPONSE", 502, true],
    ["BAD_RESPONSE", 503, true],
    ["BAD_RESPONSE", 504, true],
    ["BAD_RESPONSE", 429, true],
    ["BAD_RESPONSE", 200, false],
    ["BAD_RESPONSE", null, false],
    ["ABORTED", null, false],
    ["TOO_MANY_REQUESTS", 429, false],
    ["INTERNAL", 500, false],
    ["NOT_FOUND", 404, false],
  ] as const)("%s with status %s: %s", (code, status, passing) => {
    expect(isPassing(new TailraceClientError(code, "message", { status }))).toBe(passing);
  });

  it("is false for what is no failure of a client", () => {
    expect(isPassing(new Error("other"))).toBe(false);
  });
});

it("backoff grows to five seconds, and chance takes a quarter at most", () => {
  fc.assert(
    fc.property(fc.nat({ max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
      const ms = backoff(attempt, chance);
      expect(ms).toBeLessThanOrEqual(Math.min(5000, 200 * 2 ** attempt));
      expect(ms).toBeGreaterThanOrEqual(Math.min(5000, 200 * 2 ** attempt) * 0.75);
    }),
  );
});
