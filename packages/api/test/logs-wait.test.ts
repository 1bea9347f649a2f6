import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type Json, type TestApi, type TestTeam, makeRun, makeTeam, startApi } from "./api.ts";
import { RunLogs, countedLines, show } from "./logs.ts";
import { verbs } from "./verbs.ts";

const page = verbs.find(({ procedure }) => procedure === "logs.page")!;
const limits = { maxActiveRuns: 100, allowedImages: [], namespace: "load" };

describe.each([
  ["an announcement wakes it", (api: TestApi["store"]) => api, 1_500],
  ["announcements are lost", (store: TestApi["store"]) => ({ ...store, onLogsWritten: () => () => undefined }), 10_000],
] as const)("a page that waits, where %s", (_, watch, withinMs) => {
  let api: TestApi;
  let team: TestTeam;
  beforeAll(async () => {
    api = await startApi({ limits, watch });
    team = await makeTeam(api, "checkout");
  });
  afterAll(async () => await api[Symbol.asyncDispose]());

  async function ask(runId: string, input: Record<string, unknown>): Promise<{ page: Json; tookMs: number }> {
    const asked = performance.now();
    const { status, json, text } = await api.rest(page, { teamId: team.id, runId, ...input }, ADMIN);
    if (status !== 200) throw new Error(text);
    return { page: json, tookMs: performance.now() - asked };
  }

  it("has what is stored meanwhile, and only what the filter passes", async () => {
    const run = await makeRun(api, team);
    const stream = await (await RunLogs.of(api, run)).stream({ pod: "one" });
    await stream.write(countedLines("a", 2));
    const { page: first, tookMs } = await ask(run.id, { wait: "20s" });
    expect(first.items.map(show)).toEqual(["one/0 a 0", "one/1 a 1"]);
    expect(tookMs).toBeLessThan(10_000);
    const waiting = ask(run.id, { cursor: first.nextCursor, wait: "20s", include: "2" });
    await stream.write(countedLines("b", 2));
    await stream.write(countedLines("c", 3));
    const written = performance.now();
    const { page: next } = await waiting;
    expect(performance.now() - written).toBeLessThan(withinMs);
    expect(next.items.map(show)).toEqual(["one/6 c 2"]);
  }, 30_000);

  it("is empty at the end of its time, and goes on at its cursor", async () => {
    const run = await makeRun(api, team);
    const { page: none, tookMs } = await ask(run.id, { wait: "300ms" });
    expect(none).toMatchObject({ items: [], nextCursor: expect.any(String) });
    expect(tookMs).toBeGreaterThanOrEqual(290);
    await (await (await RunLogs.of(api, run)).stream({ pod: "one" })).write(countedLines("a", 1));
    expect((await ask(run.id, { cursor: none.nextCursor })).page.items.map(show)).toEqual(["one/0 a 0"]);
  });

  it("does not wait for what can't come any more", async () => {
    const run = await makeRun(api, team);
    const logs = await RunLogs.of(api, run);
    const stream = await logs.stream({ pod: "one" });
    await stream.write(countedLines("a", 1));
    await stream.seal();
    await logs.end();
    const { page: whole } = await ask(run.id, { include: "nothing like it", wait: "20s" });
    expect(whole).toMatchObject({ items: [], nextCursor: null });
  });
});

describe("a page that waits", () => {
  it("ends with the server", async () => {
    const asked = Promise.withResolvers<void>();
    const api = await startApi({
      limits,
      prepare: (app) =>
        void app.addHook("onRequest", async ({ url }) => {
          if (url.includes("wait=30s")) asked.resolve();
        }),
    });
    const team = await makeTeam(api, "checkout");
    const run = await makeRun(api, team);
    const waiting = api.rest(page, { teamId: team.id, runId: run.id, wait: "30s" }, ADMIN);
    await asked.promise;
    const closed = performance.now();
    const closing = api[Symbol.asyncDispose]();
    expect((await waiting).json).toMatchObject({ items: [] });
    expect(performance.now() - closed).toBeLessThan(10_000);
    // The client would keep them for a while.
    api.app.server.closeAllConnections();
    await closing;
  }, 30_000);

  it("waits half a minute at most", async () => {
    const api = await startApi({ limits });
    const team = await makeTeam(api, "checkout");
    const run = await makeRun(api, team);
    const { status, json } = await api.rest(page, { teamId: team.id, runId: run.id, wait: "31s" }, ADMIN);
    expect(status).toBe(400);
    expect(json.issues).toEqual([{ path: "wait", message: expect.stringContaining("30s at most") }]);
    await api[Symbol.asyncDispose]();
  });
});
