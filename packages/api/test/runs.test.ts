import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type Json, TEAMS, type TestApi, type TestTeam, endRun, makeRun, makeTeam, startApi } from "./api.ts";
import { SCRIPT } from "./verbs.ts";

let api: TestApi;
let count = 0;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

async function newTeam(): Promise<{ team: TestTeam; path: string }> {
  const team = await makeTeam(api, `runs-${++count}`);
  return { team, path: `${TEAMS}/${team.id}/test-runs` };
}

describe("create", () => {
  it("answers with the run, and get with the same", async () => {
    const { team, path } = await newTeam();
    const body = { scenarioId: team.scenarioId, comment: "High load test", parallelism: 5 };
    const { status, json } = await api.ask("POST", path, { token: team.tokens.runner, body });
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.stringMatching(/^[a-z0-9]{16}$/),
      teamId: team.id,
      scenarioId: "checkout",
      comment: "High load test",
      parallelism: 5,
      status: "pending",
      verdict: null,
      error: null,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      startedAt: null,
      finishedAt: null,
      stopRequestedAt: null,
      steps: [{ name: `k6-checkout-${json.id}`, stage: null, status: "pending", containerLogs: null, error: null }],
    });
    expect((await api.ask("GET", `${path}/${json.id}`, { token: team.tokens.viewer })).json).toEqual(json);
  });

  it("freezes the scenario with the run's own fields", async () => {
    const { team, path } = await newTeam();
    const scenario = { parallelism: 3, arguments: ["--no-setup"], env: { A: "1", B: "2" } };
    await api.ask("PATCH", `${TEAMS}/${team.id}/scenarios/checkout`, { token: ADMIN, body: scenario });
    const asItIs = await makeRun(api, team);
    const own = await makeRun(api, team, { parallelism: 2, arguments: ["--no-teardown"], env: { B: "3", C: "4" } });
    const after = { script: "// changed\n", parallelism: 9 };
    await api.ask("PATCH", `${TEAMS}/${team.id}/scenarios/checkout`, { token: ADMIN, body: after });
    const steps = await api.store.claimSteps({ holder: "tests", namespace: "load", ttlMs: 60_000, limit: 100 });
    const configs = [asItIs, own].map(({ id }) => steps.find(({ runId }) => runId === id));
    expect(configs.map((step) => step?.namespace)).toEqual(["load", "load"]);
    expect(configs.map((step) => step?.config)).toEqual([
      { name: `k6-checkout-${asItIs.id}`, script: SCRIPT, ...scenario },
      {
        name: `k6-checkout-${own.id}`,
        script: SCRIPT,
        parallelism: 2,
        arguments: ["--no-teardown"],
        env: { A: "1", B: "3", C: "4" },
      },
    ]);
    await api.store.releaseLeases("tests");
    expect((await api.ask("GET", path, { token: ADMIN })).json.items.map((run: Json) => run.parallelism)).toEqual([
      2, 3,
    ]);
  });

  it.each([
    [{ parallelism: 0 }, "parallelism"],
    [{ parallelism: 11 }, "parallelism"],
    [{ parallelism: 1.5 }, "parallelism"],
    [{ parallelism: "3" }, "parallelism"],
    [{ parallelism: null }, "parallelism"],
    [{ surprise: 1 }, "surprise"],
    [{ comment: "c".repeat(1001) }, "comment"],
    [{ comment: "a\0b" }, "comment"],
    [{ comment: "\udc00" }, "comment"],
    [{ comment: null }, "comment"],
    [{ scenarioId: "../checkout" }, "scenarioId"],
    [{ scenarioId: undefined }, "scenarioId"],
    [{ arguments: ["$(id)"] }, "arguments.0"],
    [{ env: { "A B": "x" } }, "env.A B"],
    [{ idempotencyKey: "" }, "idempotencyKey"],
    [{ idempotencyKey: "a b" }, "idempotencyKey"],
    [{ idempotencyKey: "k".repeat(256) }, "idempotencyKey"],
    [{ image: "grafana/k6:2.2.0" }, "image"],
    [{ teamId: "other" }, "teamId"],
  ])("refuses %j, names %s and writes nothing", async (fields, issuePath) => {
    const { team, path } = await newTeam();
    const body = { scenarioId: team.scenarioId, ...fields };
    const { status, json } = await api.ask("POST", path, { token: ADMIN, body });
    expect(status).toBe(400);
    expect(json).toMatchObject({ title: "Bad Request", code: "BAD_REQUEST", requestId: expect.any(String) });
    expect(json.issues.map((issue: { path: string }) => issue.path)).toEqual([issuePath]);
    expect((await api.store.listRuns(team.id, { limit: 1 })).items).toEqual([]);
  });

  it("takes a comment of 1000 characters of any plane", async () => {
    const { team } = await newTeam();
    const comment = "😀".repeat(1000);
    expect((await makeRun(api, team, { comment })).comment).toBe(comment);
  });

  it("checks the scenario and the run's fields together", async () => {
    const { team, path } = await newTeam();
    const names = (from: number) => Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`N${from + at}`, "v"]));
    await api.ask("PATCH", `${TEAMS}/${team.id}/scenarios/checkout`, { token: ADMIN, body: { env: names(0) } });
    const { status, json } = await api.ask("POST", path, {
      token: ADMIN,
      body: { scenarioId: "checkout", env: names(60) },
    });
    expect(status).toBe(400);
    expect(json.issues[0].path).toBe("env");
    expect(
      (await api.ask("POST", path, { token: ADMIN, body: { scenarioId: "checkout", env: names(0) } })).status,
    ).toBe(201);
  });

  it("answers 404 for a scenario that is not there or another team's", async () => {
    const { team } = await newTeam();
    const { path } = await newTeam();
    await api.ask("POST", `${TEAMS}/${team.id}/scenarios`, {
      token: ADMIN,
      body: { id: "mine", name: "n", script: SCRIPT },
    });
    for (const scenarioId of ["mine", "nothing"]) {
      const { json } = await api.ask("POST", path, { token: ADMIN, body: { scenarioId } });
      expect(json).toMatchObject({ status: 404, detail: `scenario "${scenarioId}" not found` });
    }
  });

  it("answers 429 with Retry-After when the team has its active runs, and goes on when one has ended", async () => {
    const { team, path } = await newTeam();
    const [first] = [await makeRun(api, team), await makeRun(api, team), await makeRun(api, team)];
    const body = { scenarioId: "checkout" };
    const refused = await api.ask("POST", path, { token: ADMIN, body });
    expect(refused.json).toMatchObject({
      status: 429,
      code: "TOO_MANY_REQUESTS",
      detail: expect.stringContaining("3"),
    });
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    const trpc = await api.trpc({ procedure: "runs.create", type: "mutation" }, { teamId: team.id, ...body }, ADMIN);
    expect([trpc.status, trpc.headers.get("retry-after")]).toEqual([429, refused.headers.get("retry-after")]);
    await endRun(api.store, first);
    expect((await api.ask("POST", path, { token: ADMIN, body })).status).toBe(201);
  });
});

describe("idempotency", () => {
  const key = (value: string) => ({ "idempotency-key": value });

  it("answers a repeated request with the first run, over both transports", async () => {
    const { team, path } = await newTeam();
    const body = { scenarioId: "checkout", comment: "once", env: { A: "1", B: "2" } };
    const first = await api.ask("POST", path, { token: ADMIN, body, headers: key("k-1") });
    const reordered = { env: { B: "2", A: "1" }, comment: "once", scenarioId: "checkout" };
    const again = await api.ask("POST", path, { token: ADMIN, body: reordered, headers: key("k-1") });
    expect([again.status, again.json]).toEqual([201, first.json]);
    const input = { teamId: team.id, idempotencyKey: "k-1", ...body };
    const trpc = await api.trpc({ procedure: "runs.create", type: "mutation" }, input, ADMIN);
    expect(trpc.json.result.data).toEqual(first.json);
    expect((await api.store.listRuns(team.id, { limit: 10 })).items).toHaveLength(1);
  });

  it("answers 409 for another request under the same key, and keeps teams apart", async () => {
    const { path } = await newTeam();
    const { path: otherPath } = await newTeam();
    const send = (at: string, body: object) => api.ask("POST", at, { token: ADMIN, body, headers: key("k-2") });
    expect((await send(path, { scenarioId: "checkout" })).status).toBe(201);
    expect((await send(path, { scenarioId: "checkout", parallelism: 2 })).json).toMatchObject({
      status: 409,
      code: "CONFLICT",
    });
    expect((await send(otherPath, { scenarioId: "checkout", parallelism: 2 })).status).toBe(201);
  });

  it("answers a repeated request also when the scenario has gone since", async () => {
    const { team, path } = await newTeam();
    const ask = { token: ADMIN, body: { scenarioId: "checkout" }, headers: key("k-4") };
    const first = await api.ask("POST", path, ask);
    await api.ask("DELETE", `${TEAMS}/${team.id}/scenarios/checkout`, { token: ADMIN });
    expect((await api.ask("POST", path, ask)).json).toEqual(first.json);
    expect((await api.ask("POST", path, { ...ask, headers: key("k-5") })).status).toBe(404);
  });

  it("makes one run of many requests at once", async () => {
    const { team, path } = await newTeam();
    const ask = { token: ADMIN, body: { scenarioId: "checkout" }, headers: key("k-3") };
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.ask("POST", path, ask)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    expect((await api.store.listRuns(team.id, { limit: 10 })).items).toHaveLength(1);
  });

  it("refuses a key in two places, and a header that is none", async () => {
    const { path } = await newTeam();
    const body = { scenarioId: "checkout", idempotencyKey: "k" };
    const twice = await api.ask("POST", path, { token: ADMIN, body, headers: key("k") });
    expect(twice.json.issues.map((issue: { path: string }) => issue.path)).toEqual(["idempotencyKey"]);
    const spaces = await api.ask("POST", path, { token: ADMIN, body: { scenarioId: "checkout" }, headers: key("a b") });
    expect(spaces.json.issues.map((issue: { path: string }) => issue.path)).toEqual(["idempotencyKey"]);
  });
});

describe("list", () => {
  it("gives pages, newest first, without steps and logs, by scenario and status", async () => {
    const { team, path } = await newTeam();
    await api.ask("POST", `${TEAMS}/${team.id}/scenarios`, {
      token: ADMIN,
      body: { id: "two", name: "n", script: SCRIPT },
    });
    const runs = [await makeRun(api, team), await makeRun(api, team, { scenarioId: "two" }), await makeRun(api, team)];
    await endRun(api.store, runs[0], "=== Container: a ===\n");
    const list = async (query: string): Promise<Json> =>
      (await api.ask("GET", `${path}${query}`, { token: team.tokens.viewer })).json;
    const first = await list("?limit=2");
    expect(first.items.map(({ id }: Json) => id)).toEqual([runs[2].id, runs[1].id]);
    const second = await list(`?limit=2&cursor=${encodeURIComponent(first.nextCursor)}`);
    expect(second).toEqual({
      items: [expect.objectContaining({ id: runs[0].id, status: "finished" })],
      nextCursor: null,
    });
    const { steps: _, ...summary } = runs[1];
    expect((await list("?scenarioId=two")).items).toEqual([summary]);
    expect((await list("?status=finished")).items.map(({ id }: Json) => id)).toEqual([runs[0].id]);
    expect((await list("?status=over")).issues[0].path).toBe("status");
  });
});

describe("stop and delete", () => {
  it("stops once, keeps the time, and leaves an ended run as it is", async () => {
    const { team, path } = await newTeam();
    const run = await makeRun(api, team);
    const stopped = await api.ask("POST", `${path}/${run.id}/stop`, { token: team.tokens.runner });
    expect(stopped.status).toBe(200);
    expect(stopped.json).toMatchObject({ id: run.id, status: "stopping", stopRequestedAt: expect.any(String) });
    const again = await api.ask("POST", `${path}/${run.id}/stop`, {
      token: team.tokens.runner,
      headers: { "content-type": "application/json" },
      body: "",
    });
    expect(again.json.stopRequestedAt).toBe(stopped.json.stopRequestedAt);
    const ended = await makeRun(api, team);
    await endRun(api.store, ended);
    const after = await api.ask("POST", `${path}/${ended.id}/stop`, { token: ADMIN });
    expect(after.json).toMatchObject({ status: "finished", stopRequestedAt: null });
  });

  it("refuses to delete an active run", async () => {
    const { team, path } = await newTeam();
    const run = await makeRun(api, team);
    const refused = await api.ask("DELETE", `${path}/${run.id}`, { token: ADMIN });
    expect(refused.json).toMatchObject({ status: 409, code: "CONFLICT", detail: expect.stringContaining("active") });
    await endRun(api.store, run);
    expect(await api.ask("DELETE", `${path}/${run.id}`, { token: team.tokens.admin })).toMatchObject({
      status: 204,
      text: "",
    });
    for (const [method, at] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/stop"],
      ["GET", "/logs"],
    ] as const) {
      const gone = await api.ask(method, `${path}/${run.id}${at}`, { token: ADMIN });
      expect(gone.json).toMatchObject({ status: 404, detail: `test run "${run.id}" not found` });
    }
  });

  it("keeps the runs of a deleted scenario", async () => {
    const { team, path } = await newTeam();
    const run = await makeRun(api, team);
    expect((await api.ask("DELETE", `${TEAMS}/${team.id}/scenarios/checkout`, { token: ADMIN })).status).toBe(204);
    expect((await api.ask("GET", `${path}/${run.id}`, { token: ADMIN })).json).toEqual(run);
  });
});

describe("logs", () => {
  it("gives the snapshot as text, empty before there is one", async () => {
    const { team, path } = await newTeam();
    const run = await makeRun(api, team);
    const empty = await api.ask("GET", `${path}/${run.id}/logs`, { token: team.tokens.viewer });
    expect([empty.status, empty.text, empty.headers.get("content-type")]).toEqual([
      200,
      "",
      "text/plain; charset=utf-8",
    ]);
    const text = "=== Container: k6-a-initializer-x ===\nñ 😀 \ufffd\n\n=== Container: k6-a-1-y ===\n<script>\n";
    await endRun(api.store, run, text);
    const logs = await api.ask("GET", `${path}/${run.id}/logs`, { token: team.tokens.viewer });
    expect([logs.status, logs.text, logs.headers.get("content-type")]).toEqual([
      200,
      text,
      "text/plain; charset=utf-8",
    ]);
    const trpc = await api.trpc(
      { procedure: "logs.snapshot", type: "query" },
      { teamId: team.id, runId: run.id },
      ADMIN,
    );
    expect(trpc.json.result.data).toEqual({ runId: run.id, status: "finished", text });
    expect((await api.ask("GET", `${path}/${run.id}`, { token: ADMIN })).json.steps[0].containerLogs).toBe(text);
  });
});
