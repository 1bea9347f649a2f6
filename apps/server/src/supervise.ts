import { randomUUID } from "node:crypto";
import type { Cluster, ClusterView, LogReader, LogStore, Store } from "@tailrace/core";
import type { Logger } from "pino";
import type { Collector } from "./collector/collector.ts";
import type { Metrics } from "./metrics.ts";
import { deadlines, runnerSettings } from "./runner.ts";
import type { Settings } from "./settings/definitions.ts";
import { Cleaner } from "./supervisor/cleaner.ts";
import { Supervisor } from "./supervisor/supervisor.ts";

export interface SuperviseDeps {
  settings: Settings;
  store: Store & LogStore & LogReader;
  cluster: Cluster;
  view: ClusterView;
  collector: Collector;
  metrics: Metrics;
  log: Logger;
}

/** Starts what follows runs in the cluster and cleans up behind them. Disposing it twice is fine. */
export function supervise({ settings, store, cluster, view, collector, metrics, log }: SuperviseDeps): AsyncDisposable {
  const supervisor = new Supervisor({
    store,
    cluster,
    view,
    holder: randomUUID(),
    leaseMs: settings.leaseMs,
    runner: runnerSettings(settings),
    deadlines: deadlines(settings),
    snapshotIntervalMs: settings.snapshotIntervalMs,
    cleanupAfterMs: settings.cleanupAfterMs,
    snapshots: { store, tailLines: settings.logTailLines },
    collect: (step, onLost) => collector.collect(step, onLost),
    log,
    onWrite: () => metrics.stepWrites.inc(),
    onActive: (steps) => metrics.activeSteps.set(steps),
    onLeaseMoved: () => metrics.leaseMoves.inc(),
  });
  const cleaner = new Cleaner({ store, cluster, log });
  let closed: Promise<unknown> | undefined;
  return {
    async [Symbol.asyncDispose]() {
      await (closed ??= Promise.all([supervisor.close(), cleaner.close()]));
    },
  };
}
