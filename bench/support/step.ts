import { randomBytes } from "node:crypto";
import { makeId } from "@tailrace/core";
import type { PostgresStore } from "@tailrace/store";

export interface BenchStep {
  id: string;
  name: string;
  runId: string;
  teamId: string;
  testRunUid: string;
  fence: number;
}

/** A run with a step of its own that this process holds; nothing of it is in a cluster. */
export async function makeStep(store: PostgresStore, name: string): Promise<BenchStep> {
  const id = makeId(randomBytes(16));
  const holder = makeId(randomBytes(16));
  const testRunUid = makeId(randomBytes(16));
  await store.createTeam({ id, name: "Bench" });
  const stepId = `${id}-0`;
  const config = { name, script: "export default function () {}", parallelism: 1 };
  await store.createRun({
    id,
    teamId: id,
    scenarioId: "bench",
    comment: null,
    step: { id: stepId, namespace: holder, config },
    maxActive: 1,
  });
  const [step] = await store.claimSteps({ holder, namespace: holder, ttlMs: 3_600_000, limit: 1 });
  await store.writeStep(stepId, step!.fence, { status: "running", testRunUid });
  return { id: stepId, name, runId: id, teamId: id, testRunUid, fence: step!.fence };
}
