import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import type { RunStatus, StepPatch, StepRecord } from "@tailrace/core";
import { createRun, id, makeTeam, newRun, query, sharedStore, type StoreFixture } from "./support.ts";

const fixture = sharedStore();

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** One run whose step `holder` has claimed. */
async function claimOne(
  fixture: StoreFixture,
  holder = "a",
  ttlMs = 60_000,
): Promise<{ team: string; step: StepRecord }> {
  const team = await makeTeam(fixture.store);
  await createRun(fixture.store, newRun(team));
  const [step] = await fixture.store.claimSteps({ holder, namespace: "k6", ttlMs, limit: 1 });
  return { team, step: step! };
}

async function leaseRanOut({ url }: StoreFixture, stepId: string): Promise<void> {
  await vi.waitFor(async () => {
    const [row] = await query(
      url,
      "select lease_expires_at < clock_timestamp() as over from test_run_steps where id = $1",
      [stepId],
    );
    expect(row).toEqual({ over: true });
  });
}

describe("claimSteps", () => {
  test("gives the step as it was made, once", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const wanted = newRun(team);
    const run = await createRun(store, wanted);
    expect(await store.claimSteps({ holder: "a", namespace: "k6", ttlMs: 60_000, limit: 10 })).toEqual([
      {
        id: wanted.step.id,
        runId: run.id,
        teamId: team,
        namespace: "k6",
        config: wanted.step.config,
        status: "pending",
        stage: null,
        error: null,
        testRunUid: null,
        containerLogsHash: null,
        totalDurationMs: null,
        createdAt: expect.any(Date),
        stageChangedAt: null,
        startedAt: null,
        stopRequestedAt: null,
        fence: 1,
      },
    ]);
    for (const holder of ["a", "b"])
      expect(await store.claimSteps({ holder, namespace: "k6", ttlMs: 60_000, limit: 10 })).toEqual([]);
  });

  test("two holders at the same time never get the same step, and together get all", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const made = await Promise.all(
      Array.from({ length: 40 }, () => createRun(store, newRun(team, { maxActive: 100 }))),
    );
    const claimed: string[] = [];
    while (claimed.length < made.length) {
      const claims = ["a", "b"].map((holder) => store.claimSteps({ holder, namespace: "k6", ttlMs: 60_000, limit: 3 }));
      const steps = (await Promise.all(claims)).flat();
      expect(steps.length).toBeGreaterThan(0);
      claimed.push(...steps.map((step) => step.runId));
    }
    expect(claimed.toSorted()).toEqual(made.map((run) => run.id).toSorted());
  });

  test("a step is claimed for its own namespace alone", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    const run = await createRun(store, newRun(team));
    expect(await store.claimSteps({ holder: "a", namespace: "other", ttlMs: 60_000, limit: 10 })).toEqual([]);
    expect(await store.claimSteps({ holder: "a", namespace: "k6", ttlMs: 60_000, limit: 10 })).toMatchObject([
      { runId: run.id },
    ]);
  });

  test("an ended step is never claimed", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture);
    await store.writeStep(step.id, step.fence, { status: "error", error: "gone", finishedAt: new Date() });
    await store.releaseLeases("a");
    expect(await store.claimSteps({ holder: "b", namespace: "k6", ttlMs: 60_000, limit: 10 })).toEqual([]);
  });

  test("a step whose lease ran out goes to another, and its former holder can't write any more", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture, "a", 1);
    await leaseRanOut(fixture, step.id);
    const [taken] = await store.claimSteps({ holder: "b", namespace: "k6", ttlMs: 60_000, limit: 10 });
    expect(taken).toMatchObject({ id: step.id, fence: 2 });
    expect(
      await store.writeStep(step.id, step.fence, { status: "error", cleanup: { deleteAt: new Date(0) } }),
    ).toBeNull();
    expect(await store.getRun(step.teamId, step.runId)).toMatchObject({ status: "pending" });
    expect(await store.claimCleanups({ namespace: "k6", limit: 1, hideMs: 1 })).toEqual([]);
    expect(await store.writeStep(step.id, taken!.fence, { status: "running" })).toMatchObject({ status: "running" });
  });
});

describe("claimSteps of what has run out", () => {
  test("leaves the steps that the holder follows already", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture, "a", 1);
    await leaseRanOut(fixture, step.id);
    const claim = { holder: "a", namespace: "k6", ttlMs: 60_000, limit: 10 };
    expect(await store.claimSteps({ ...claim, except: [step.id] })).toEqual([]);
    expect(await store.claimSteps({ ...claim, except: ["another"] })).toMatchObject([{ id: step.id, fence: 2 }]);
  });

  test("takes it within the given time only, and what was given back always", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture, "a", 1);
    await leaseRanOut(fixture, step.id);
    const claim = { holder: "b", namespace: "k6", ttlMs: 60_000, limit: 10 };
    const now = (await store.clock()).getTime();
    for (const takeOverUntil of [null, new Date(now - 1000)])
      expect(await store.claimSteps({ ...claim, takeOverUntil })).toEqual([]);
    await store.releaseLeases("a");
    expect(await store.claimSteps({ ...claim, takeOverUntil: null })).toMatchObject([{ id: step.id }]);
    const other = await claimOne(fixture, "a", 1);
    await leaseRanOut(fixture, other.step.id);
    expect(await store.claimSteps({ ...claim, takeOverUntil: new Date(now + 600_000) })).toMatchObject([
      { id: other.step.id, fence: 2 },
    ]);
  });
});

describe("renewLeases", () => {
  test("prolongs the holder's own, and tells of a stop", async () => {
    const { store, url } = fixture;
    const { team, step } = await claimOne(fixture, "a", 30_000);
    await claimOne(fixture, "b");
    expect(await store.renewLeases({ holder: "a", ids: [step.id], ttlMs: 3_600_000 })).toEqual([
      { id: step.id, fence: 1, stopRequestedAt: null },
    ]);
    const left =
      "select extract(epoch from lease_expires_at - now()) > 3500 as long from test_run_steps where lease_holder = 'a'";
    expect(await query(url, left)).toEqual([{ long: true }]);
    await store.requestStop(team, step.runId);
    expect(await store.renewLeases({ holder: "a", ids: [step.id], ttlMs: 1000 })).toMatchObject([
      { stopRequestedAt: expect.any(Date) },
    ]);
  });

  test("leaves a lease that its holder does not name to run out", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture, "a", 300);
    const { step: known } = await claimOne(fixture, "a");
    expect(await store.renewLeases({ holder: "a", ids: [known.id], ttlMs: 60_000 })).toMatchObject([{ id: known.id }]);
    await leaseRanOut(fixture, step.id);
    expect(await store.claimSteps({ holder: "b", namespace: "k6", ttlMs: 60_000, limit: 10 })).toMatchObject([
      { id: step.id },
    ]);
  });

  test("prolongs a lease that has run out and that nobody took", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture, "a", 1);
    await leaseRanOut(fixture, step.id);
    expect(await store.renewLeases({ holder: "a", ids: [step.id], ttlMs: 60_000 })).toMatchObject([
      { id: step.id, fence: 1 },
    ]);
    expect(await store.claimSteps({ holder: "b", namespace: "k6", ttlMs: 60_000, limit: 1 })).toEqual([]);
  });

  test("never prolongs a lease that another has taken, or that was given back", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture, "a", 1);
    await leaseRanOut(fixture, step.id);
    await store.claimSteps({ holder: "b", namespace: "k6", ttlMs: 60_000, limit: 1 });
    expect(await store.renewLeases({ holder: "a", ids: [step.id], ttlMs: 60_000 })).toEqual([]);
    await store.releaseLeases("b");
    for (const holder of ["a", "b"])
      expect(await store.renewLeases({ holder, ids: [step.id], ttlMs: 60_000 })).toEqual([]);
  });

  test("and a claim at the same time never leave a step with two holders", async () => {
    const { store } = fixture;
    for (let round = 0; round < 20; round++) {
      const { step } = await claimOne(fixture, "a", 1);
      await leaseRanOut(fixture, step.id);
      const [renewed, claimed] = await Promise.all([
        store.renewLeases({ holder: "a", ids: [step.id], ttlMs: 60_000 }),
        store.claimSteps({ holder: "b", namespace: "k6", ttlMs: 60_000, limit: 1 }),
      ]);
      expect(renewed.length + claimed.length).toBe(1);
    }
  });

  test("does not give what has ended", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture);
    await store.writeStep(step.id, step.fence, { status: "finished" });
    expect(await store.renewLeases({ holder: "a", ids: [step.id], ttlMs: 60_000 })).toEqual([]);
  });
});

describe("releaseLeases", () => {
  test("lets another take the steps at once, with a greater fencing number", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture, "a");
    const other = await claimOne(fixture, "b");
    await store.releaseLeases("a");
    expect(await store.claimSteps({ holder: "c", namespace: "k6", ttlMs: 60_000, limit: 10 })).toMatchObject([
      { id: step.id, fence: 2 },
    ]);
    expect(await store.writeStep(step.id, step.fence, { stage: "created" })).toBeNull();
    expect(await store.writeStep(other.step.id, other.step.fence, { stage: "created" })).not.toBeNull();
  });
});

describe("writeStep", () => {
  test("writes every field, and leaves the absent ones", async () => {
    const { store } = fixture;
    const { step } = await claimOne(fixture);
    const patch: StepPatch = {
      status: "running",
      stage: "started",
      error: "the API server did not answer; trying again",
      testRunUid: "uid-1",
      containerLogs: "=== Container: a ===\nline\n",
      totalDurationMs: 90_000,
      stageChangedAt: new Date("2026-01-02T03:04:05.678Z"),
      startedAt: new Date("2026-01-02T03:04:06.789Z"),
    };
    const written = await store.writeStep(step.id, step.fence, patch);
    const { containerLogs, ...changed } = patch;
    expect(written).toEqual({ ...step, ...changed, containerLogsHash: sha256(containerLogs!) });
    expect(await store.writeStep(step.id, step.fence, {})).toEqual(written);
    const cleared = await store.writeStep(step.id, step.fence, { error: null, stage: null });
    expect(cleared).toEqual({ ...written, error: null, stage: null });
  });

  test("run and step change together, and the step ends in the run's cleanup", async () => {
    const { store, url } = fixture;
    const { team, step } = await claimOne(fixture);
    const startedAt = new Date("2026-01-02T03:04:05.000Z");
    await store.writeStep(step.id, step.fence, {
      status: "running",
      stage: "started",
      startedAt,
      error: "retrying",
      testRunUid: "uid-1",
    });
    expect(await store.getRun(team, step.runId)).toMatchObject({
      status: "running",
      startedAt: startedAt.toISOString(),
      error: null,
      steps: [{ status: "running", stage: "started", error: "retrying" }],
    });
    const finishedAt = new Date("2026-01-02T03:09:05.000Z");
    await store.writeStep(step.id, step.fence, {
      status: "error",
      error: "deleted by somebody",
      finishedAt,
      containerLogs: "x",
      cleanup: { deleteAt: new Date() },
    });
    expect(await store.getRun(team, step.runId)).toMatchObject({
      status: "error",
      error: "deleted by somebody",
      startedAt: startedAt.toISOString(),
      finishedAt: finishedAt.toISOString(),
      steps: [{ status: "error", error: "deleted by somebody", containerLogs: "x" }],
    });
    expect(await query(url, "select step_id, test_run_name, test_run_uid from cluster_cleanups")).toEqual([
      { step_id: step.id, test_run_name: step.config.name, test_run_uid: "uid-1" },
    ]);
  });

  test("a stop is never taken back, whoever comes first", async () => {
    const { store } = fixture;
    const { team, step } = await claimOne(fixture);
    await store.requestStop(team, step.runId);
    for (const status of ["pending", "running", "stopping"] satisfies RunStatus[]) {
      const written = await store.writeStep(step.id, step.fence, { status, stage: "started" });
      expect(written).toMatchObject({ status: "stopping", stage: "started", stopRequestedAt: expect.any(Date) });
      expect(await store.getRun(team, step.runId)).toMatchObject({ status: "stopping" });
    }
    expect(await store.writeStep(step.id, step.fence, { status: "finished" })).toMatchObject({ status: "finished" });
  });

  test("a stop that the supervisor decided is not taken back either", async () => {
    const { step } = await claimOne(fixture);
    await fixture.store.writeStep(step.id, step.fence, { status: "stopping" });
    expect(await fixture.store.writeStep(step.id, step.fence, { status: "running" })).toMatchObject({
      status: "stopping",
    });
  });

  test("an ended step is left as it is, so that a repeated last write changes nothing", async () => {
    const { store } = fixture;
    const { team, step } = await claimOne(fixture);
    const last: StepPatch = {
      status: "finished",
      finishedAt: new Date(),
      containerLogs: "all",
      cleanup: { deleteAt: new Date() },
    };
    const ended = await store.writeStep(step.id, step.fence, last);
    const run = await store.getRun(team, step.runId);
    await store.finishCleanup(step.id);
    expect(await store.writeStep(step.id, step.fence, last)).toEqual(ended);
    expect(
      await store.writeStep(step.id, step.fence, {
        status: "running",
        error: "late",
        cleanup: { deleteAt: new Date() },
      }),
    ).toEqual(ended);
    expect(await store.getRun(team, step.runId)).toEqual(run);
    expect(await store.claimCleanups({ namespace: "k6", limit: 1, hideMs: 1 })).toEqual([]);
  });

  test("is null for a run that is gone", async () => {
    const { store } = fixture;
    const { team, step } = await claimOne(fixture);
    await store.writeStep(step.id, step.fence, { status: "finished" });
    await store.deleteRun(team, step.runId);
    expect(await store.writeStep(step.id, step.fence, { stage: "finished" })).toBeNull();
  });

  test("keeps a snapshot with any character but NUL as it is", async () => {
    const { team, step } = await claimOne(fixture);
    const containerLogs = "\u2400 \ufffd \u0001\u001b[31m 𝒳 \u2028 \r\n".repeat(50_000);
    const written = await fixture.store.writeStep(step.id, step.fence, { containerLogs });
    expect(written?.containerLogsHash).toBe(sha256(containerLogs));
    expect((await fixture.store.getRun(team, step.runId))?.steps[0]?.containerLogs === containerLogs).toBe(true);
    await expect(fixture.store.writeStep(step.id, step.fence, { containerLogs: "a\0" })).rejects.toMatchObject({
      code: "BAD_REQUEST",
    });
  });

  test("goes together with stops, claims, renewals and deletions without a deadlock", async () => {
    const { store } = fixture;
    const team = await makeTeam(store);
    for (let i = 0; i < 8; i++) await createRun(store, newRun(team));
    const steps = await store.claimSteps({ holder: "a", namespace: "k6", ttlMs: 60_000, limit: 10 });
    const work = steps.flatMap((step) => [
      ...Array.from({ length: 5 }, () =>
        store.writeStep(step.id, step.fence, { status: "running", containerLogs: id() }),
      ),
      store.requestStop(team, step.runId),
      store.renewLeases({ holder: "a", ids: [step.id], ttlMs: 60_000 }),
      store.claimSteps({ holder: "b", namespace: "k6", ttlMs: 60_000, limit: 10 }),
      store.writeStep(step.id, step.fence, { status: "finished", cleanup: { deleteAt: new Date() } }),
      store.deleteRun(team, step.runId),
      store.releaseLeases("a"),
    ]);
    const failures = (await Promise.allSettled(work)).filter((result) => result.status === "rejected");
    expect(failures).toEqual([]);
  });
});
