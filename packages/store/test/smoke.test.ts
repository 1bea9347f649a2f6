import { expect, test } from "vitest";
import { createRun, makeTeam, newRun, openTestStore } from "./support.ts";

test("smoke", async () => {
  await using fixture = await openTestStore();
  const { store } = fixture;
  const team = await makeTeam(store);
  const run = newRun(team);
  const made = await createRun(store, run);
  expect(await store.getRun(team, run.id)).toEqual(made);
  const [step] = await store.claimSteps({ holder: "a", ttlMs: 5000, limit: 10 });
  expect(step?.fence).toBe(1);
  const w = await store.writeStep(run.step.id, 1, { status: "running", stage: "started", containerLogs: "x", startedAt: new Date() });
  expect(w?.status).toBe("running");
  const e = await store.writeStep(run.step.id, 1, { status: "finished", finishedAt: new Date(), cleanupAt: new Date() });
  expect(e?.status).toBe("finished");
  expect(await store.claimCleanups({ limit: 10, hideMs: 1000 })).toHaveLength(1);
  console.log(await store.getRun(team, run.id), e);
});
