import pg from "pg";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { makeId, type K6TestRunConfig, type NewRun, type Run } from "@tailrace/core";
import { openStore, type PostgresStore } from "../src/index.ts";
import { testDatabase } from "../src/testing.ts";
import { quiet } from "./quiet.ts";

export { quiet };

export function id(): string {
  return makeId(crypto.getRandomValues(new Uint8Array(16)));
}

export interface StoreFixture extends AsyncDisposable {
  store: PostgresStore;
  url: string;
}

/** A store on a database of its own. */
export async function openTestStore(): Promise<StoreFixture> {
  const database = await testDatabase();
  const store = await openStore({ databaseUrl: database.url, log: quiet });
  return {
    store,
    url: database.url,
    async [Symbol.asyncDispose]() {
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** One store for all tests of a file, empty at the beginning of each. */
export function sharedStore(): StoreFixture {
  let opened: StoreFixture;
  beforeAll(async () => {
    opened = await openTestStore();
  });
  beforeEach(() => query(opened.url, "truncate teams, cluster_cleanups, log_chunks, log_gaps, log_removals cascade"));
  afterAll(() => opened[Symbol.asyncDispose]());
  return {
    get store() {
      return opened.store;
    },
    get url() {
      return opened.url;
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

export async function makeTeam(store: PostgresStore): Promise<string> {
  const team = await store.createTeam({ id: id(), name: "Checkout" });
  return team.id;
}

export function newRun(teamId: string, change: Partial<NewRun> = {}): NewRun {
  const runId = id();
  return {
    id: runId,
    teamId,
    scenarioId: "load-test-scenario",
    comment: null,
    step: { id: `${runId}-0`, namespace: "k6", config: k6Config(runId) },
    maxActive: 10,
    ...change,
  };
}

export function k6Config(runId: string): K6TestRunConfig {
  return { name: `tailrace-${runId}`, script: "export default function () {}", parallelism: 2 };
}

export async function createRun(store: PostgresStore, run: NewRun): Promise<Run> {
  const result = await store.createRun(run);
  if (result.kind !== "created") throw new Error(`expected a new run, got ${result.kind}`);
  return result.run;
}

/** Ends the run as a supervisor does. */
export async function endRun({ store }: StoreFixture, runId: string, namespace = "k6"): Promise<void> {
  const holder = id();
  const steps = await store.claimSteps({ holder, namespace, ttlMs: 60_000, limit: 1000 });
  const step = steps.find((claimed) => claimed.runId === runId);
  if (step === undefined) throw new Error(`run ${runId} is not to be claimed`);
  await store.writeStep(step.id, step.fence, { status: "finished", finishedAt: new Date() });
  await store.releaseLeases(holder);
}

/** What no verb of the store tells. */
export async function query(url: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}
