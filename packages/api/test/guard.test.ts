import { randomBytes } from "node:crypto";
import type { RouteOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, TEAMS, type TestApi, makeTeam, startApi } from "./api.ts";

const routes: { method: string; url: string }[] = [];

function collect({ method, url }: RouteOptions): void {
  for (const each of [method].flat()) routes.push({ method: each, url });
}

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ prepare: (app) => void app.addHook("onRoute", collect) });
});
afterAll(async () => await api[Symbol.asyncDispose]());

describe("with tokens", () => {
  it("guards every route that is registered", async () => {
    expect(routes.length).toBeGreaterThan(30);
    for (const { method, url } of routes) {
      const path = url.replace(/:\w+/g, "x").replace("*", "teams.list");
      const answer = await api.ask(method, path);
      expect([method, url, answer.status]).toEqual([method, url, 401]);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="tailrace"');
    }
  });

  it("guards what is no route, and answers it with 404 behind the guard", async () => {
    for (const path of ["/api", "/api/", "/api/nothing", `${TEAMS}/a/nothing`]) {
      expect((await api.ask("GET", path)).status).toBe(401);
      const answer = await api.ask("GET", path, { token: ADMIN });
      expect(answer.status).toBe(404);
      expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
      expect(answer.json).toMatchObject({ type: "about:blank", title: "Not Found", status: 404, code: "NOT_FOUND" });
    }
  });

  it.each([
    ["no scheme", ADMIN],
    ["another scheme", `Basic ${ADMIN}`],
    ["an empty token", "Bearer "],
    ["two tokens", `Bearer ${ADMIN} ${ADMIN}`],
    ["part of the admin token", `Bearer ${ADMIN.slice(0, -1)}`],
    ["a token that looks like one", `Bearer trc_${randomBytes(32).toString("base64url")}`],
    ["a token of another form", "Bearer x"],
  ])("refuses %s", async (_, authorization) => {
    const answer = await api.ask("GET", TEAMS, { headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain(ADMIN);
  });

  it("forgets a deleted token at once", async () => {
    const team = await makeTeam(api, "forgetful");
    const token = team.tokens.viewer;
    expect((await api.ask("GET", TEAMS, { token })).status).toBe(200);
    const { json } = await api.ask("GET", `${TEAMS}/${team.id}/tokens`, { token: ADMIN });
    const { id } = json.items.find((item: { role: string }) => item.role === "viewer");
    expect((await api.ask("DELETE", `${TEAMS}/${team.id}/tokens/${id}`, { token: ADMIN })).status).toBe(204);
    expect((await api.ask("GET", TEAMS, { token })).status).toBe(401);
  });

  it("lets nothing be cached", async () => {
    for (const path of [TEAMS, "/api/trpc/teams.list"]) {
      expect((await api.ask("GET", path, { token: ADMIN })).headers.get("cache-control")).toBe("no-store");
    }
  });
});

describe("without authentication", () => {
  let open: TestApi;
  beforeAll(async () => {
    open = await startApi({ auth: { mode: "none" } });
  });
  afterAll(async () => await open[Symbol.asyncDispose]());

  it("answers programs and pages of this machine as the administrator", async () => {
    expect((await open.ask("POST", TEAMS, { body: { id: "demo", name: "Demo" } })).status).toBe(201);
    expect((await open.ask("GET", TEAMS, { headers: { origin: open.origin } })).status).toBe(200);
    expect((await open.ask("GET", "/api/trpc/teams.list")).json.result.data.items).toHaveLength(1);
  });

  it.each([{ origin: "http://example.com" }, { origin: "null" }])("refuses pages of others: %j", async (headers) => {
    const body = { name: "Other" };
    expect((await open.ask("POST", TEAMS, { body, headers })).status).toBe(403);
    expect((await open.ask("POST", "/api/trpc/teams.create", { body, headers })).status).toBe(403);
    expect((await open.ask("GET", TEAMS, { headers })).status).toBe(403);
  });

  it("refuses other Hosts and what the browser calls cross-site", async () => {
    for (const headers of [{ host: "rebound.example.com" }, { host: "localhost", "sec-fetch-site": "cross-site" }]) {
      const { statusCode } = await open.app.inject({ method: "GET", url: TEAMS, headers });
      expect(statusCode).toBe(403);
    }
  });

  it("takes no body that a form of another page could post", async () => {
    for (const path of [TEAMS, "/api/trpc/teams.create"]) {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
        const answer = await open.ask("POST", path, { body: '{"name":"Form"}', headers: { "content-type": type } });
        expect([path, type, answer.status]).toEqual([path, type, 415]);
      }
    }
  });
});
