import { expect, test } from "vitest";
import type { Cleanup } from "@tailrace/core";
import { createRun, makeTeam, newRun, query, sharedStore, type StoreFixture } from "./support.ts";

const fixture = sharedStore();

/** Ends a run whose objects are to be deleted at this time. */
async function endWithCleanup({ store }: StoreFixture, deleteAt: Date | null): Promise<string> {
  const run = newRun(await makeTeam(store));
  await createRun(store, run);
  const [step] = await store.claimSteps({ holder: "a", namespace: "k6", ttlMs: 60_000, limit: 1 });
  await store.writeStep(step!.id, step!.fence, { status: "finished", testRunUid: "uid-1", cleanup: { deleteAt } });
  return run.step.id;
}

const ago = (ms: number): Date => new Date(Date.now() - ms);

test("claimCleanups takes what is due, oldest first, and hides it", async () => {
  const { store } = fixture;
  const older = await endWithCleanup(fixture, ago(1_000));
  const newer = await endWithCleanup(fixture, ago(60_000));
  const first = await store.claimCleanups({ namespace: "k6", limit: 1, hideMs: 60_000 });
  expect(first).toEqual<Cleanup[]>([
    {
      stepId: older,
      namespace: "k6",
      testRunName: expect.stringMatching(/^tailrace-/) as string,
      testRunUid: "uid-1",
      attempts: 0,
      released: false,
      deletion: "now",
    },
  ]);
  expect(await store.claimCleanups({ namespace: "k6", limit: 10, hideMs: 60_000 })).toMatchObject([{ stepId: newer }]);
  expect(await store.claimCleanups({ namespace: "k6", limit: 10, hideMs: 60_000 })).toEqual([]);
});

test("an entry is due at once, to be released, and again when its objects are to be deleted", async () => {
  const { store, url } = fixture;
  const later = await endWithCleanup(fixture, ago(-3_600_000));
  const never = await endWithCleanup(fixture, null);
  const claim = () => store.claimCleanups({ namespace: "k6", limit: 10, hideMs: 0 });
  expect(new Map((await claim()).map((it) => [it.stepId, [it.released, it.deletion]]))).toEqual(
    new Map([
      [later, [false, "later"]],
      [never, [false, "never"]],
    ]),
  );
  await store.finishCleanup(never);
  await store.retryCleanup(later, 0, "forbidden");
  await store.postponeCleanup(later);
  expect(await claim()).toEqual([]);
  await query(url, "update cluster_cleanups set due_at = now(), delete_at = now()");
  expect(await claim()).toMatchObject([{ stepId: later, released: true, deletion: "now", attempts: 0 }]);
});

test("what was hidden comes back when nobody finished it", async () => {
  const stepId = await endWithCleanup(fixture, ago(1_000));
  expect(await fixture.store.claimCleanups({ namespace: "k6", limit: 1, hideMs: 0 })).toMatchObject([{ stepId }]);
  expect(await fixture.store.claimCleanups({ namespace: "k6", limit: 1, hideMs: 60_000 })).toMatchObject([{ stepId }]);
});

test("eight claims at the same time never overlap", async () => {
  const made: string[] = [];
  for (let i = 0; i < 12; i++) made.push(await endWithCleanup(fixture, ago(1_000)));
  const claims = Array.from({ length: 8 }, () =>
    fixture.store.claimCleanups({ namespace: "k6", limit: 3, hideMs: 60_000 }),
  );
  const claimed = (await Promise.all(claims)).flat().map((cleanup) => cleanup.stepId);
  expect(new Set(claimed).size).toBe(claimed.length);
  const rest = await fixture.store.claimCleanups({ namespace: "k6", limit: 12, hideMs: 60_000 });
  expect([...claimed, ...rest.map((cleanup) => cleanup.stepId)].toSorted()).toEqual(made.toSorted());
});

test("finishCleanup ends it; retryCleanup counts, keeps the reason and puts it off", async () => {
  const { store, url } = fixture;
  const stepId = await endWithCleanup(fixture, ago(1_000));
  await store.retryCleanup(stepId, 0, "forbidden");
  expect(await store.claimCleanups({ namespace: "k6", limit: 1, hideMs: 0 })).toMatchObject([{ stepId, attempts: 1 }]);
  await store.retryCleanup(stepId, 3_600_000, "timeout");
  expect(await store.claimCleanups({ namespace: "k6", limit: 1, hideMs: 0 })).toEqual([]);
  expect(await query(url, "select attempts, error from cluster_cleanups")).toEqual([{ attempts: 2, error: "timeout" }]);
  await store.finishCleanup(stepId);
  await store.finishCleanup(stepId);
  expect(await query(url, "select * from cluster_cleanups")).toEqual([]);
});

test("deleting the run makes a later cleanup due now, and leaves what is known of it", async () => {
  const { store } = fixture;
  const team = await makeTeam(store);
  const run = newRun(team);
  await createRun(store, run);
  const [step] = await store.claimSteps({ holder: "a", namespace: "k6", ttlMs: 60_000, limit: 1 });
  const cleanup = { deleteAt: ago(-3_600_000) };
  await store.writeStep(step!.id, step!.fence, { status: "finished", testRunUid: "uid-1", cleanup });
  await store.retryCleanup(step!.id, 3_600_000, "timeout");
  expect(await store.deleteRun(team, run.id)).toBe("deleted");
  expect(await store.claimCleanups({ namespace: "k6", limit: 1, hideMs: 0 })).toMatchObject([
    { stepId: run.step.id, testRunUid: "uid-1", attempts: 1, deletion: "now" },
  ]);
});
