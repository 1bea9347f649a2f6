import { describe, expect, test } from "vitest";
import type { RunStatus } from "@tailrace/core";
import { createRun, endRun, id, k6Config, makeTeam, newRun, sharedStore, query } from "./support.ts";

const fixture = sharedStore();

describe("createRun", () => {
  test("gives the run as it is stored", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const wanted = newRun(team, { comment: "High load" });
    const run = await createRun(store, wanted);
    expect(run).toEqual({
      id: wanted.id,
      teamId: team,
      scenarioId: "load-test-scenario",
      comment: "High load",
      parallelism: 2,
      status: "pending",
      verdict: null,
      error: null,
      createdAt: expect.stringMatching(/Z$/),
      startedAt: null,
      finishedAt: null,
      stopRequestedAt: null,
      steps: [{ name: wanted.step.config.name, stage: null, status: "pending", containerLogs: null, error: null }],
    });
    expect(await store.getRun(team, run.id)).toEqual(run);
  });

  test("one runner is the default", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const wanted = newRun(team);
    const { parallelism: _, ...config } = wanted.step.config;
    expect(await createRun(store, { ...wanted, step: { ...wanted.step, config } })).toMatchObject({ parallelism: 1 });
  });

  test.each([0, 11])("the database refuses a parallelism of %s, and nothing is written", async (parallelism) => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const wanted = newRun(team);
    const bad = { ...wanted, step: { ...wanted.step, config: { ...wanted.step.config, parallelism } } };
    await expect(store.createRun(bad)).rejects.toMatchObject({ code: "23514" });
    expect(await store.listRuns(team, { limit: 10 })).toEqual({ items: [], nextCursor: null });
  });

  test("needs its team", async () => {
    await expect(fixture.store.createRun(newRun("nobody"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("refuses ids that are taken, whole", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const first = newRun(a);
    await createRun(store, first);
    await expect(store.createRun({ ...newRun(b), id: first.id })).rejects.toMatchObject({ code: "CONFLICT" });
    const sameStep = newRun(b, { step: first.step });
    await expect(store.createRun(sameStep)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await store.getRun(b, sameStep.id)).toBeNull();
  });

  test("of 20 at the same time exactly as many are made as the team may have active", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => store.createRun(newRun(team, { maxActive: 10 }))),
    );
    const kinds = answers.map((answer) => answer.kind).toSorted();
    expect(kinds).toEqual([...Array(10).fill("created"), ...Array(10).fill("too_many_active")]);
    expect(answers.find((answer) => answer.kind === "too_many_active")).toEqual({
      kind: "too_many_active",
      active: 10,
    });
    expect((await store.listRuns(team, { limit: 200 })).items).toHaveLength(10);
  });

  test("ended runs and other teams' do not count", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const first = await createRun(store, newRun(a, { maxActive: 1 }));
    expect(await store.createRun(newRun(a, { maxActive: 1 }))).toEqual({ kind: "too_many_active", active: 1 });
    await createRun(store, newRun(b, { maxActive: 1 }));
    await endRun(fixture, first.id);
    await createRun(store, newRun(a, { maxActive: 1 }));
  });
});

describe("idempotency keys", () => {
  test("of eight with one key at the same time one makes the run", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const idempotency = { key: "deploy-17", requestHash: "h" };
    const answers = await Promise.all(Array.from({ length: 8 }, () => store.createRun(newRun(team, { idempotency }))));
    expect(answers.map((answer) => answer.kind).toSorted()).toEqual(["created", ...Array(7).fill("replayed")]);
    const runs = answers.map((answer) => ("run" in answer ? answer.run.id : null));
    expect(new Set(runs).size).toBe(1);
    expect((await store.listRuns(team, { limit: 10 })).items).toHaveLength(1);
  });

  test("a replay gives the run as it is now, also where the team has too many active", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const wanted = newRun(team, { idempotency: { key: "k", requestHash: "h" }, maxActive: 1 });
    await createRun(store, wanted);
    await store.requestStop(team, wanted.id);
    const again = await store.createRun({ ...wanted, id: id() });
    expect(again).toMatchObject({ kind: "replayed", run: { id: wanted.id, status: "stopping" } });
  });

  test("another request, or a run that was deleted, makes the key used", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const wanted = newRun(team, { idempotency: { key: "k", requestHash: "h" } });
    await createRun(store, wanted);
    const other = newRun(team, { idempotency: { key: "k", requestHash: "other" } });
    expect(await store.createRun(other)).toEqual({ kind: "key_reused" });
    await endRun(fixture, wanted.id);
    expect(await store.deleteRun(team, wanted.id)).toBe("deleted");
    expect(await store.createRun({ ...wanted, id: id() })).toEqual({ kind: "key_reused" });
  });

  test("count per team, and for 24 hours", async () => {
    const { store, url } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const idempotency = { key: "k", requestHash: "h" };
    await createRun(store, newRun(a, { idempotency }));
    await createRun(store, newRun(b, { idempotency }));
    const [kept] = await query(
      url,
      "select extract(epoch from expires_at - now()) / 3600 as hours from idempotency_keys",
    );
    expect(Number(kept?.["hours"])).toBeCloseTo(24, 1);
    await query(url, "update idempotency_keys set expires_at = now() where team_id = $1", [a]);
    await createRun(store, newRun(a, { idempotency }));
    expect(await store.createRun(newRun(b, { idempotency }))).toMatchObject({ kind: "replayed" });
  });

  test("a run that was refused does not use the key up", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const first = await createRun(store, newRun(team));
    const idempotency = { key: "k", requestHash: "h" };
    expect(await store.createRun(newRun(team, { idempotency, maxActive: 1 }))).toMatchObject({
      kind: "too_many_active",
    });
    await endRun(fixture, first.id);
    await createRun(store, newRun(team, { idempotency, maxActive: 1 }));
  });

  test("a key too long for an index is the caller's fault", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const key = Array.from({ length: 1000 }, id).join("");
    const bad = store.createRun(newRun(team, { idempotency: { key, requestHash: "h" } }));
    await expect(bad).rejects.toMatchObject({ name: "TailraceError", code: "BAD_REQUEST" });
  });
});

describe("getRun", () => {
  test("does not give another team's", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const run = await createRun(store, newRun(a));
    expect(await store.getRun(b, run.id)).toBeNull();
    expect(await store.getRun(a, id())).toBeNull();
  });
});

describe("getRunProgress", () => {
  test("is the run without its logs, and not another team's", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const run = await createRun(store, newRun(a));
    const steps = run.steps.map(({ name, stage, status, error }) => ({ name, stage, status, error }));
    expect(await store.getRunProgress(a, run.id)).toEqual({ ...run, steps });
    expect(await store.getRunProgress(b, run.id)).toBeNull();
  });
});

describe("listRuns", () => {
  test("goes through all, newest first, however quickly they were made", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const made: string[] = [];
    for (let i = 0; i < 7; i++) made.unshift((await createRun(store, newRun(a))).id);
    await createRun(store, newRun(b));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.listRuns(a, { limit: 3, cursor });
      expect(page.items.every((item) => !("steps" in item))).toBe(true);
      seen.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(made);
  });

  test("filters by scenario and status together", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const one = await createRun(store, newRun(team, { scenarioId: "one" }));
    const two = await createRun(store, newRun(team, { scenarioId: "two" }));
    await store.requestStop(team, two.id);
    const ids = async (filter: { scenarioId?: string; status?: RunStatus }): Promise<string[]> =>
      (await store.listRuns(team, { limit: 10, ...filter })).items.map((item) => item.id);
    expect(await ids({})).toEqual([two.id, one.id]);
    expect(await ids({ scenarioId: "one" })).toEqual([one.id]);
    expect(await ids({ status: "stopping" })).toEqual([two.id]);
    expect(await ids({ scenarioId: "one", status: "stopping" })).toEqual([]);
  });

  test.each(["", "x", "cnVuczow", "cnVuczotMQ", "cnVuczoxMjM=", "cnVuczo5OTk5OTk5OTk5OTk5OTk5OTk5"])(
    "refuses the cursor %j",
    async (cursor) => {
      const team = await makeTeam(fixture.store);
      await expect(fixture.store.listRuns(team, { limit: 1, cursor })).rejects.toMatchObject({
        code: "BAD_REQUEST",
        issues: [{ path: "cursor" }],
      });
    },
  );
});

describe("requestStop", () => {
  test("sets the time once, and run and step to stopping", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const { id: runId } = await createRun(store, newRun(team));
    const stopped = await store.requestStop(team, runId);
    expect(stopped).toMatchObject({
      status: "stopping",
      stopRequestedAt: expect.any(String),
      steps: [{ status: "stopping" }],
    });
    expect(await store.requestStop(team, runId)).toEqual(stopped);
  });

  test("leaves an ended run as it is", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const { id: runId } = await createRun(store, newRun(team));
    await endRun(fixture, runId);
    expect(await store.requestStop(team, runId)).toMatchObject({ status: "finished", stopRequestedAt: null });
  });

  test("does not reach another team's", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const { id: runId } = await createRun(store, newRun(a));
    expect(await store.requestStop(b, runId)).toBeNull();
    expect(await store.getRun(a, runId)).toMatchObject({ status: "pending", stopRequestedAt: null });
  });
});

describe("deleteRun", () => {
  test("deletes an ended run with its step, and leaves its cleanup, due now", async () => {
    const team = await makeTeam(fixture.store);
    const wanted = newRun(team, { step: { id: "step-1", namespace: "k6", config: k6Config("x") } });
    const { id: runId } = await createRun(fixture.store, wanted);
    expect(await fixture.store.deleteRun(team, runId)).toBe("active");
    await endRun(fixture, runId);
    expect(await fixture.store.deleteRun(team, runId)).toBe("deleted");
    expect(await fixture.store.deleteRun(team, runId)).toBe("not_found");
    expect(await fixture.store.getRun(team, runId)).toBeNull();
    expect(await query(fixture.url, "select id from test_run_steps")).toEqual([]);
    expect(await fixture.store.claimCleanups({ namespace: "k6", limit: 10, hideMs: 1000 })).toEqual([
      {
        stepId: "step-1",
        namespace: "k6",
        testRunName: "tailrace-x",
        testRunUid: null,
        attempts: 0,
        released: false,
        deletion: "now",
      },
    ]);
  });

  test("does not reach another team's", async () => {
    const { store } = fixture;
    const [a, b] = [await makeTeam(store), await makeTeam(store)];
    const { id: runId } = await createRun(store, newRun(a));
    await endRun(fixture, runId);
    expect(await store.deleteRun(b, runId)).toBe("not_found");
    expect(await store.getRun(a, runId)).not.toBeNull();
  });
});
