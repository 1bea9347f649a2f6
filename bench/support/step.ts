import { randomBytes } from "node:crypto";
import { makeId } from "@tailrace/core";
import type { PostgresStore } from "@tailrace/store";

export interface BenchStep {
  id: string;
  /** The TestRun's name. */
  name: string;
  runId: string;
  teamId: string;
  testRunUid: string;
  fence: number;
}

const LEASE_MS = 6 * 3_600_000;

/**
 * A run with a running step that this process holds; nothing of it is in a cluster, and no server looks for steps in its
 * namespace.
 *
 * @param teamId - made where it is null
 */
export async function makeStep(store: PostgresStore, name: string, teamId: string | null = null): Promise<BenchStep> {
  const [runId, holder, testRunUid] = [newId(), newId(), newId()];
  const team = teamId ?? newId();
  if (teamId === null) await store.createTeam({ id: team, name: "Bench" });
  const id = `${runId}-0`;
  await store.createRun({
    id: runId,
    teamId: team,
    scenarioId: "bench",
    comment: null,
    step: { id, namespace: holder, config: { name, script: "export default function () {}", parallelism: 1 } },
    maxActive: 1,
  });
  const [step] = await store.claimSteps({ holder, namespace: holder, ttlMs: LEASE_MS, limit: 1 });
  if (step === undefined) throw new Error("the bench's own step can't be claimed");
  await store.writeStep(id, step.fence, { status: "running", testRunUid });
  return { id, name, runId, teamId: team, testRunUid, fence: step.fence };
}

function newId(): string {
  return makeId(randomBytes(16));
}
