import { randomUUID } from "node:crypto";
import type { Cluster, ClusterView, ContainerRef, ReadContainer, Store } from "@tailrace/core";
import { readContainers } from "@tailrace/kubernetes";
import type { Logger } from "pino";
import type { Metrics } from "./metrics.ts";
import { deadlines, runnerSettings } from "./runner.ts";
import type { Settings } from "./settings/definitions.ts";
import { Cleaner } from "./supervisor/cleaner.ts";
import { Gate } from "./supervisor/gate.ts";
import type { ReadLogs } from "./supervisor/snapshot.ts";
import { Supervisor } from "./supervisor/supervisor.ts";

export interface SuperviseDeps {
  settings: Settings;
  store: Store;
  cluster: Cluster;
  view: ClusterView;
  metrics: Metrics;
  log: Logger;
}

/** How long the reading of one container may take, all its tries together, before it counts as failed. */
const READ_TIMEOUT_MS = 20_000;

/** Starts what follows runs in the cluster and cleans up behind them. */
export function supervise({ settings, store, cluster, view, metrics, log }: SuperviseDeps): AsyncDisposable {
  const supervisor = new Supervisor({
    store,
    cluster,
    view,
    holder: randomUUID(),
    leaseMs: settings.leaseMs,
    runner: runnerSettings(settings),
    deadlines: deadlines(settings),
    logIntervalMs: settings.logIntervalMs,
    cleanupAfterMs: settings.cleanupAfterMs,
    readLogs: logReader({ settings, cluster, metrics }),
    log,
    onWrite: () => metrics.stepWrites.inc(),
    onActive: (steps) => metrics.activeSteps.set(steps),
  });
  const cleaner = new Cleaner({ store, cluster, log });
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([supervisor.close(), cleaner.close()]);
    },
  };
}

/** Reads logs of all steps through one gate, so that many runs do not become a storm of requests. */
function logReader({ settings, cluster, metrics }: Pick<SuperviseDeps, "settings" | "cluster" | "metrics">): ReadLogs {
  const gate = new Gate(settings.logConcurrency);
  return async (refs, signal) => {
    const read = async (ref: ContainerRef): Promise<ReadContainer> => {
      const timeout = AbortSignal.timeout(READ_TIMEOUT_MS);
      const bounded = AbortSignal.any([signal, timeout]);
      try {
        const [done] = await readContainers({
          cluster,
          containers: [ref],
          tailLines: settings.logTailLines,
          signal: bounded,
        });
        return done!;
      } catch (error) {
        if (signal.aborted || !timeout.aborted) throw error;
        return { ref, read: { kind: "retry", reason: `not read within ${READ_TIMEOUT_MS / 1000} s` } };
      }
    };
    const reads = await Promise.all(refs.map((ref) => gate.run(() => read(ref))));
    for (const { read: result } of reads) metrics.containerReads.inc({ result: result.kind });
    return reads;
  };
}
