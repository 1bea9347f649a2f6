import {
  belongsToStep,
  FINALIZER,
  type Cleanup,
  type CleanupStore,
  type Cluster,
  type LabelledObject,
} from "@tailrace/core";
import type { Logger } from "pino";
import { Waker } from "./waker.ts";

export interface CleanerDeps {
  store: CleanupStore;
  cluster: Cluster;
  log: Logger;
}

const INTERVAL_MS = 1000;
const BATCH = 10;

/** How long one server may take for an entry before another tries it. */
const HIDE_MS = 60_000;

/**
 * Releases the TestRuns of ended runs, and deletes what they leave in the cluster when its time has come, however often
 * that has to be tried.
 */
export class Cleaner {
  readonly #deps: CleanerDeps;
  readonly #abort = new AbortController();
  readonly #waker = new Waker();
  readonly #loop: Promise<void>;

  constructor(deps: CleanerDeps) {
    this.#deps = deps;
    this.#loop = this.#run();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { store, cluster, log } = this.#deps;
    while (!this.#abort.signal.aborted) {
      try {
        const due = await store.claimCleanups({ namespace: cluster.namespace, limit: BATCH, hideMs: HIDE_MS });
        for (const cleanup of due) await this.#clean(cleanup);
        if (due.length === BATCH) continue;
      } catch (error) {
        log.warn({ err: error }, "could not clean up, trying again");
      }
      await this.#waker.sleep(INTERVAL_MS, this.#abort.signal);
    }
  }

  async #clean(cleanup: Cleanup): Promise<void> {
    const { store, cluster, log } = this.#deps;
    const signal = this.#abort.signal;
    if (signal.aborted) return;
    try {
      const { testRunName: name, stepId } = cleanup;
      const uid = cleanup.testRunUid ?? uidOfStep(await cluster.getTestRun(name, signal), stepId);
      if (uid !== null && !cleanup.released) await cluster.removeFinalizer(name, uid, FINALIZER, signal);
      if (cleanup.deletion === "later") return await store.postponeCleanup(stepId);
      if (cleanup.deletion === "never") return await store.finishCleanup(stepId);
      if (uid !== null) await cluster.deleteTestRun(name, uid, signal);
      const configMap = uidOfStep(await cluster.getConfigMap(name, signal), stepId);
      if (configMap !== null) await cluster.deleteConfigMap(name, configMap, signal);
      await store.finishCleanup(stepId);
      log.info({ testRun: name }, "removed the run's objects from the cluster");
    } catch (error) {
      const delayMs = Math.min(300_000, 2000 * 2 ** Math.min(cleanup.attempts, 10));
      log.warn(
        { err: error, testRun: cleanup.testRunName, delayMs },
        "could not remove the run's objects, trying again",
      );
      if (!signal.aborted) await store.retryCleanup(cleanup.stepId, delayMs, (error as Error).message);
    }
  }
}

/** The UID of an object that was made for this step; one of the same name that was not is somebody else's. */
function uidOfStep(object: LabelledObject | null, stepId: string): string | null {
  return object !== null && belongsToStep(object, stepId) ? object.metadata.uid : null;
}
