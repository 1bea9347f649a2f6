import { Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BODY_BYTES, LARGE_BODY_BYTES, MAX_BATCH_SIZE } from "../src/index.ts";
import { ADMIN, TEAMS, type TestApi, type TestTeam, makeTeam, startApi } from "./api.ts";
import { type Proxy, openProxy } from "./proxy.ts";
import { SCRIPT } from "./verbs.ts";

let api: TestApi;
let team: TestTeam;
beforeAll(async () => {
  api = await startApi();
  team = await makeTeam(api, "errors");
});
afterAll(async () => await api[Symbol.asyncDispose]());

const runs = () => `${TEAMS}/${team.id}/test-runs`;
const scenarios = () => `${TEAMS}/${team.id}/scenarios`;

describe("what is no request of the API", () => {
  it.each(["{", "{'a':1}", '{"a":1}}', "nonsense"])("answers 400 for the body %j", async (body) => {
    const rest = await api.ask("POST", runs(), { token: ADMIN, body });
    expect(rest.json).toEqual({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      code: "BAD_REQUEST",
      detail: "the request is not valid JSON",
      issues: [],
      requestId: expect.any(String),
    });
    const trpc = await api.ask("POST", "/api/trpc/runs.create", { token: ADMIN, body });
    expect(trpc.status).toBe(400);
    expect(trpc.json.error).toMatchObject({
      message: rest.json.detail,
      data: { code: "BAD_REQUEST", httpStatus: 400 },
    });
  });

  it.each(["[]", "null", "3", '"text"'])("answers 400 for the body %s, which is no object", async (body) => {
    expect((await api.ask("POST", runs(), { token: ADMIN, body })).status).toBe(400);
    const trpc = await api.ask("POST", "/api/trpc/runs.create", { token: ADMIN, body });
    expect(trpc.status).toBe(400);
  });

  it.each(["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "answers 415 for %s",
    async (type) => {
      for (const path of [runs(), "/api/trpc/runs.create"]) {
        const { status, json } = await api.ask("POST", path, {
          token: ADMIN,
          body: "{}",
          headers: { "content-type": type },
        });
        expect(status).toBe(415);
        expect(json.detail ?? json.error.message).toBe("the body must be sent as application/json");
      }
    },
  );

  it("answers 404 for procedures that do not exist, 405 for the wrong method, and 400 for too many calls", async () => {
    const ask = { token: ADMIN };
    expect((await api.ask("GET", "/api/trpc/teams.destroy", ask)).json.error.data).toMatchObject({
      code: "NOT_FOUND",
      httpStatus: 404,
    });
    expect((await api.ask("GET", "/api/trpc/runs.create", ask)).json.error.data).toMatchObject({
      code: "METHOD_NOT_SUPPORTED",
      httpStatus: 405,
    });
    const batch = Array.from({ length: MAX_BATCH_SIZE + 1 }, () => "teams.list").join(",");
    const { status } = await api.ask("GET", `/api/trpc/${batch}?batch=1`, ask);
    expect(status).toBe(400);
    const fits = batch.slice(0, batch.lastIndexOf(","));
    expect((await api.ask("GET", `/api/trpc/${fits}?batch=1`, ask)).json).toHaveLength(MAX_BATCH_SIZE);
  });

  it.each(["%%%", "a b", "[", "", "x:99999999"])("answers 400, or as ever, for the Host %j", async (host) => {
    for (const url of [TEAMS, "/api/trpc/teams.list"]) {
      const headers = { host, authorization: `Bearer ${ADMIN}` };
      const { statusCode } = await api.app.inject({ method: "GET", url, headers });
      expect([200, 400]).toContain(statusCode);
    }
  });

  it.each(["%7B", "[]", "3", "null", "", "%22text%22"])("answers 400 for a query with the input %s", async (input) => {
    const { status, json } = await api.ask("GET", `/api/trpc/teams.get?input=${input}`, { token: ADMIN });
    expect([status, json.error.data.code]).toEqual([400, "BAD_REQUEST"]);
  });

  it("gives the calls of one batch their own results", async () => {
    const input = encodeURIComponent(JSON.stringify({ 0: { teamId: team.id }, 1: { teamId: "nobody" } }));
    const { status, json } = await api.ask("GET", `/api/trpc/teams.get,teams.get?batch=1&input=${input}`, {
      token: ADMIN,
    });
    expect(status).toBe(207);
    expect(json[0].result.data.id).toBe(team.id);
    expect(json[1].error.data).toMatchObject({ code: "NOT_FOUND", requestId: expect.any(String) });
  });
});

describe("body limits", () => {
  /** A body of exactly so many bytes. */
  const padded = (fields: object, bytes: number): string => JSON.stringify(fields).padEnd(bytes, " ");

  /** With content-length, or in chunks without one. */
  const send = (path: string, body: string, chunked: boolean) => {
    const init = { method: "POST", headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" } };
    const stream = () =>
      Readable.toWeb(Readable.from(body.match(/.{1,8191}/gs) ?? []).map((part) => Buffer.from(part)));
    return fetch(api.origin + path, chunked ? { ...init, body: stream(), duplex: "half" } : { ...init, body });
  };

  it("are exact, for every way to send a body", async () => {
    const run = { scenarioId: "nothing" };
    const scenario = { name: "n", script: SCRIPT };
    const targets = [
      { path: runs(), fields: run, limit: BODY_BYTES, fits: 404 },
      { path: "/api/trpc/runs.create", fields: { teamId: team.id, ...run }, limit: BODY_BYTES, fits: 404 },
      {
        path: "/api/trpc/runs.create?batch=1",
        fields: { 0: { teamId: team.id, ...run } },
        limit: BODY_BYTES,
        fits: 404,
      },
      { path: "/api/trpc/scenarios.create,runs.create?batch=1", fields: {}, limit: BODY_BYTES, fits: 400 },
      { path: scenarios(), fields: scenario, limit: LARGE_BODY_BYTES, fits: 201 },
      {
        path: "/api/trpc/scenarios.create",
        fields: { teamId: team.id, ...scenario },
        limit: LARGE_BODY_BYTES,
        fits: 200,
      },
      {
        path: "/api/trpc/scenarios.create?batch=1",
        fields: { 0: { teamId: team.id, ...scenario } },
        limit: LARGE_BODY_BYTES,
        fits: 200,
      },
    ];
    const size = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: -3, max: 0 }),
      fc.integer({ min: 1, max: 300_000 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        size,
        fc.boolean(),
        async ({ path, fields, limit, fits }, beyond, chunked) => {
          const response = await send(path, padded(fields, limit + beyond), chunked);
          const text = await response.text();
          expect(response.status).toBe(beyond > 0 ? 413 : fits);
          if (beyond > 0)
            expect(text).toContain(`at most ${limit === BODY_BYTES ? "64 KiB" : "4 MiB"} (${limit} bytes)`);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("are enforced before the body is read as JSON, and after the token", async () => {
    const nonsense = "x".repeat(BODY_BYTES + 1);
    expect((await api.ask("POST", runs(), { token: ADMIN, body: nonsense })).json.code).toBe("PAYLOAD_TOO_LARGE");
    expect((await api.ask("POST", runs(), { body: nonsense })).status).toBe(401);
  });
});

describe("failures of the server", () => {
  it("tell the caller a request id and nothing else, and the log everything", async () => {
    await using broken = await startApi({
      random: () => {
        throw new Error("secret of the inside");
      },
    });
    const rest = await broken.ask("POST", TEAMS, { token: ADMIN, body: { name: "n" } });
    expect(rest.json).toEqual({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      code: "INTERNAL",
      detail: "internal error",
      issues: [],
      requestId: expect.any(String),
    });
    const trpc = await broken.ask("POST", "/api/trpc/teams.create", { token: ADMIN, body: { name: "n" } });
    expect(trpc.json).toEqual({
      error: {
        message: "internal error",
        code: -32603,
        data: { code: "INTERNAL", httpStatus: 500, issues: [], requestId: expect.any(String) },
      },
    });
    expect(rest.text + trpc.text).not.toMatch(/secret|stack|\.ts/);
    const logged = broken.logged.map(({ level, fields }) => [
      level,
      fields["requestId"],
      String(unwrapped(fields["err"])),
    ]);
    expect(logged).toEqual([
      ["error", rest.json.requestId, "Error: secret of the inside"],
      ["error", trpc.json.error.data.requestId, "Error: secret of the inside"],
    ]);
  });

  it("are 503 with Retry-After while the database is away, and over when it is back", async () => {
    let proxy: Proxy | undefined;
    await using cut = await startApi({ reach: async (url) => (proxy = await openProxy(url)).url });
    await using way = proxy!;
    await way.cut();
    const rest = await cut.ask("GET", TEAMS, { token: ADMIN });
    expect(rest.json).toMatchObject({ status: 503, code: "UNAVAILABLE", title: "Service Unavailable" });
    expect(rest.headers.get("retry-after")).toMatch(/^\d+$/);
    const trpc = await cut.ask("GET", "/api/trpc/teams.list", { token: `trc_${"a".repeat(43)}` });
    expect([trpc.status, trpc.json.error.data.code]).toEqual([503, "UNAVAILABLE"]);
    expect(rest.text + trpc.text).not.toMatch(/ECONN|127\.0\.0\.1/);
    const warned = cut.logged
      .filter(({ fields }) => "requestId" in fields)
      .map(({ level, fields }) => [level, fields["requestId"]]);
    expect(warned).toEqual([
      ["warn", rest.json.requestId],
      ["warn", trpc.json.error.data.requestId],
    ]);
    await way.open();
    expect((await cut.ask("GET", TEAMS, { token: ADMIN })).status).toBe(200);
  });

  it("are 500 when the store fails in a way that nobody knows, also while the token is checked", async () => {
    await using closed = await startApi();
    await closed.store.close();
    const unknown = { token: `trc_${"a".repeat(43)}` };
    for (const path of [TEAMS, "/api/trpc/teams.list"]) {
      for (const ask of [unknown, { token: ADMIN }]) {
        const { status, text } = await closed.ask("GET", path, ask);
        expect(status).toBe(500);
        expect(text).not.toMatch(/pool/i);
      }
    }
    expect(closed.logged.filter(({ level }) => level === "error")).toHaveLength(4);
  });
});

function unwrapped(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
