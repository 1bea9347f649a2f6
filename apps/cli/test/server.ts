import { randomBytes } from "node:crypto";
import { createApi } from "@tailrace/api";
import { type StepPatch, type StepRecord, type Store } from "@tailrace/core";
import { openStore } from "@tailrace/store";
import { testDatabase } from "@tailrace/store/testing";
import Fastify from "fastify";

/** The API on a database, without a cluster: the test itself says how a run goes on. */
export interface TestServer extends AsyncDisposable {
  origin: string;
  store: Store;
  /** Waits for the next run and takes its step. */
  nextStep(): Promise<DrivenStep>;
}

export interface DrivenStep {
  record: StepRecord;
  /** Writes what a supervisor would. */
  write(patch: StepPatch): Promise<void>;
}

export const ADMIN = "the-admin-token-of-the-tests";

export async function startServer(): Promise<TestServer> {
  const database = await testDatabase();
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const store = await openStore({ databaseUrl: database.url, log });
  await store.createTeam({ id: "demo", name: "Demo" });
  const app = Fastify();
  const limits = { maxActiveRuns: 10, allowedImages: [], namespace: "load" };
  await app.register(
    createApi({ store, auth: { mode: "token", adminToken: ADMIN }, limits, log, random: randomBytes }),
  );
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const announced: (() => void)[] = [];
  const unlisten = store.onStepAnnounced(() => {
    for (const wake of announced.splice(0)) wake();
  });
  const nextStep = async (): Promise<DrivenStep> => {
    for (;;) {
      const wake = new Promise<void>((resolve) => announced.push(resolve));
      const [record] = await store.claimSteps({ holder: "test", namespace: "load", ttlMs: 60_000, limit: 1 });
      if (record !== undefined) {
        const write = async (patch: StepPatch): Promise<void> =>
          void (await store.writeStep(record.id, record.fence, patch));
        return { record, write };
      }
      await wake;
    }
  };
  return {
    origin,
    store,
    nextStep,
    [Symbol.asyncDispose]: async () => {
      unlisten();
      await app.close();
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
