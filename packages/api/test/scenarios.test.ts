import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiContext, appRouter } from "../src/index.ts";
import { ADMIN, ALLOWED_IMAGE, TEAMS, type TestApi, type TestTeam, makeTeam, startApi } from "./api.ts";
import { SCRIPT } from "./verbs.ts";

let api: TestApi;
let team: TestTeam;
let path: string;
beforeAll(async () => {
  api = await startApi();
  team = await makeTeam(api, "scenario-team");
  path = `${TEAMS}/${team.id}/scenarios`;
});
afterAll(async () => await api[Symbol.asyncDispose]());

const full = {
  id: "full",
  name: "Füll ✓",
  script: SCRIPT,
  parallelism: 4,
  arguments: ["--vus", "3", "--duration=10s"],
  env: { TARGET: "http://shop", API_KEY: "do-not-show" },
  resources: { requests: { cpu: "500m" }, limits: { cpu: "1", memory: "256Mi" } },
  image: ALLOWED_IMAGE,
};

describe("create and get", () => {
  it("shows what was given, and of the environment the names alone", async () => {
    const createdAnswer = await api.ask("POST", path, { token: team.tokens.runner, body: full });
    expect(createdAnswer.status).toBe(201);
    const { env: _, ...rest } = full;
    expect(createdAnswer.json).toEqual({
      ...rest,
      teamId: team.id,
      envNames: ["API_KEY", "TARGET"],
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updatedAt: expect.any(String),
    });
    const got = await api.ask("GET", `${path}/full`, { token: team.tokens.viewer });
    expect(got.json).toEqual(createdAnswer.json);
    expect(got.text).not.toContain("do-not-show");
  });

  it("makes an id and says the defaults", async () => {
    const { json } = await api.ask("POST", path, { token: ADMIN, body: { name: "n", script: SCRIPT } });
    expect(json).toMatchObject({ parallelism: 1, arguments: [], envNames: [], resources: null, image: null });
    expect(json.id).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/);
  });

  it("refuses an id that the team has, and takes it in another team", async () => {
    const elsewhere = await makeTeam(api, "elsewhere");
    const body = { id: "checkout", name: "n", script: SCRIPT };
    expect((await api.ask("POST", path, { token: ADMIN, body })).json).toMatchObject({ status: 409, code: "CONFLICT" });
    body.id = "only-here";
    expect((await api.ask("POST", path, { token: ADMIN, body })).status).toBe(201);
    expect((await api.ask("POST", `${TEAMS}/${elsewhere.id}/scenarios`, { token: ADMIN, body })).status).toBe(201);
  });

  it.each([
    [{ name: "" }, "name"],
    [{ name: "a".repeat(101) }, "name"],
    [{ name: "a\0b" }, "name"],
    [{ name: "half \ud800" }, "name"],
    [{ name: 3 }, "name"],
    [{ id: "Upper" }, "id"],
    [{ id: "a".repeat(64) }, "id"],
    [{ script: "" }, "script"],
    [{ script: "a\0b" }, "script"],
    [{ script: "half \ud800" }, "script"],
    [{ script: undefined }, "script"],
    [{ parallelism: 11 }, "parallelism"],
    [{ arguments: ["--tag", "a;b"] }, "arguments.1"],
    [{ env: { "1x": "y" } }, "env.1x"],
    [{ env: { X: "a\0" } }, "env.X"],
    [{ resources: { limits: { cpu: "lots" } } }, "resources.limits.cpu"],
    [{ image: "example.com/other:1" }, "image"],
    [{ teamId: "other" }, "teamId"],
  ])("refuses %j and names %s", async (fields, issuePath) => {
    const body = { name: "n", script: SCRIPT, ...fields };
    const before = await api.store.listScenarios(team.id, { limit: 200 });
    const { status, json } = await api.ask("POST", path, { token: ADMIN, body });
    expect(status).toBe(400);
    expect(json.issues.map((issue: { path: string }) => issue.path)).toEqual([issuePath]);
    expect(json.issues[0].message).toMatch(
      issuePath === "teamId" ? /is given by the path/ : new RegExp(`^${issuePath} `),
    );
    expect(json.detail).toBe(json.issues[0].message);
    expect(await api.store.listScenarios(team.id, { limit: 200 })).toEqual(before);
  });

  it("takes the largest script that a ConfigMap takes, and refuses one byte more by name", async () => {
    const script = "x".repeat(1_048_576);
    expect((await api.ask("POST", path, { token: ADMIN, body: { id: "large", name: "n", script } })).status).toBe(201);
    expect((await api.ask("GET", `${path}/large`, { token: ADMIN })).json.script).toHaveLength(1_048_576);
    const { status, json } = await api.ask("POST", path, { token: ADMIN, body: { name: "n", script: `${script}x` } });
    expect(status).toBe(400);
    expect(json.issues).toEqual([{ path: "script", message: expect.stringContaining("1,048,576") }]);
  });
});

describe("list", () => {
  it("gives pages without scripts", async () => {
    const many = await makeTeam(api, "many-scenarios");
    const at = `${TEAMS}/${many.id}/scenarios`;
    for (let index = 0; index < 4; index++) {
      expect(
        (await api.ask("POST", at, { token: ADMIN, body: { id: `s${index}`, name: "n", script: SCRIPT } })).status,
      ).toBe(201);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const { json } = await api.ask("GET", `${at}?limit=2${query}`, { token: many.tokens.viewer });
      expect(json.items.length).toBeLessThanOrEqual(2);
      for (const item of json.items)
        expect(Object.keys(item).toSorted()).toEqual(["createdAt", "id", "name", "teamId", "updatedAt"]);
      seen.push(...json.items.map((item: { id: string }) => item.id));
      cursor = json.nextCursor;
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(["checkout", "s0", "s1", "s2", "s3"]);
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=201", "limit"],
    ["limit=1.5", "limit"],
    ["limit=many", "limit"],
    ["limit=1&limit=2", "limit"],
    ["cursor=not-one-of-ours", "cursor"],
    ["cursor=", "cursor"],
    ["teamId=other", "teamId"],
  ])("refuses ?%s", async (query, issuePath) => {
    const { status, json } = await api.ask("GET", `${path}?${query}`, { token: ADMIN });
    expect(status).toBe(400);
    expect(json.issues.map((issue: { path: string }) => issue.path)).toEqual([issuePath]);
  });
});

describe("update", () => {
  it("changes the given fields and leaves the others", async () => {
    const at = `${path}/${(await api.ask("POST", path, { token: ADMIN, body: { ...full, id: "patched" } })).json.id}`;
    const before = (await api.ask("GET", at, { token: ADMIN })).json;
    const changed = await api.ask("PATCH", at, {
      token: team.tokens.runner,
      body: { parallelism: 2, image: null, env: null },
    });
    expect(changed.status).toBe(200);
    expect(changed.json).toEqual({
      ...before,
      parallelism: 2,
      image: null,
      envNames: [],
      updatedAt: expect.any(String),
    });
    expect(changed.json.updatedAt > before.updatedAt).toBe(true);
    expect((await api.ask("GET", at, { token: ADMIN })).json).toEqual(changed.json);
    const removed = await api.ask("PATCH", at, {
      token: ADMIN,
      body: { parallelism: null, arguments: null, resources: null },
    });
    expect(removed.json).toMatchObject({
      parallelism: 1,
      arguments: [],
      resources: null,
      name: full.name,
      script: SCRIPT,
    });
  });

  it.each([
    [{ script: null }, "script"],
    [{ name: null }, "name"],
    [{ parallelism: 0 }, "parallelism"],
    [{ scenarioId: "checkout" }, "scenarioId"],
    [{ id: "new-id" }, "id"],
    [{ image: "example.com/other:1" }, "image"],
  ])("refuses %j", async (body, issuePath) => {
    const { status, json } = await api.ask("PATCH", `${path}/checkout`, { token: ADMIN, body });
    expect(status).toBe(400);
    expect(json.issues.map((issue: { path: string }) => issue.path)).toEqual([issuePath]);
  });

  it("checks the whole: parts that are valid alone can be too much together", async () => {
    const requests = { requests: { cpu: "2" } };
    await api.ask("POST", path, {
      token: ADMIN,
      body: { id: "whole", name: "n", script: SCRIPT, resources: requests },
    });
    const body = { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } };
    expect((await api.ask("PATCH", `${path}/whole`, { token: ADMIN, body })).json.issues[0].path).toBe(
      "resources.requests.cpu",
    );
  });

  it("loses no change of several at once, or says which did not happen", async () => {
    await api.ask("POST", path, { token: ADMIN, body: { id: "busy", name: "n", script: SCRIPT } });
    const changes = [
      { name: "changed" },
      { parallelism: 7 },
      { arguments: ["--no-setup"] },
      { env: { A: "1" } },
      { image: ALLOWED_IMAGE },
    ];
    const answers = await Promise.all(changes.map((body) => api.ask("PATCH", `${path}/busy`, { token: ADMIN, body })));
    const { json } = await api.ask("GET", `${path}/busy`, { token: ADMIN });
    const now = [
      json.name === "changed",
      json.parallelism === 7,
      json.arguments.length === 1,
      json.envNames.length === 1,
      json.image !== null,
    ];
    expect(answers.map(({ status }) => status)).toEqual(now.map((happened) => (happened ? 200 : 409)));
    expect(now).toContain(true);
  });

  it("tries again where somebody else was first, and gives up where others always are", async () => {
    await api.ask("POST", path, { token: ADMIN, body: { id: "contended", name: "n", script: SCRIPT } });
    const input = { teamId: team.id, scenarioId: "contended", parallelism: 7 };
    let others = 0;
    const contended = (times: number): ApiContext => ({
      store: {
        ...api.store,
        getScenario: async (teamId, id) => {
          const read = await api.store.getScenario(teamId, id);
          if (read !== null && others < times) {
            await api.store.replaceScenario({ ...read, name: `other ${++others}` }, read.updatedAt);
          }
          return read;
        },
      },
      principal: { kind: "installation" },
      limits: { maxActiveRuns: 1, allowedImages: [], namespace: "load" },
      closing: new AbortController().signal,
      random: randomBytes,
      requestId: "test",
    });
    const once = await appRouter.createCaller(contended(1)).scenarios.update(input);
    expect(once).toMatchObject({ name: "other 1", parallelism: 7 });
    const always = appRouter
      .createCaller(contended(Number.POSITIVE_INFINITY))
      .scenarios.update({ ...input, parallelism: 8 });
    await expect(always).rejects.toMatchObject({ cause: { code: "CONFLICT" } });
    expect((await api.ask("GET", `${path}/contended`, { token: ADMIN })).json.parallelism).toBe(7);
  });

  it("answers 404 for a scenario that is not there", async () => {
    const { json } = await api.ask("PATCH", `${path}/nothing`, { token: ADMIN, body: { name: "n" } });
    expect(json).toMatchObject({ status: 404, detail: 'scenario "nothing" not found' });
  });
});

describe("delete", () => {
  it("removes it once", async () => {
    await api.ask("POST", path, { token: ADMIN, body: { id: "gone", name: "n", script: SCRIPT } });
    expect(await api.ask("DELETE", `${path}/gone`, { token: ADMIN })).toMatchObject({ status: 204, text: "" });
    expect((await api.ask("DELETE", `${path}/gone`, { token: ADMIN })).status).toBe(404);
    expect((await api.ask("GET", `${path}/gone`, { token: ADMIN })).status).toBe(404);
  });
});
