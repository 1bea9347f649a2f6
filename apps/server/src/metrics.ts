import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { createCollectorMetrics, type CollectorMetrics } from "./collector/metrics.ts";

/** What the server counts. No label names a run or a team: their number has no bound. */
export interface Metrics {
  registry: Registry;
  httpDuration: Histogram<"method" | "route" | "status">;
  activeSteps: Gauge;
  stepWrites: Counter;
  leaseMoves: Counter;
  watchConnected: Gauge;
  collector: CollectorMetrics;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    httpDuration: new Histogram({
      name: "tailrace_http_request_duration_seconds",
      help: "Time to answer a request, by route pattern.",
      labelNames: ["method", "route", "status"],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    activeSteps: new Gauge({
      name: "tailrace_active_steps",
      help: "Steps that this server supervises now.",
      registers,
    }),
    stepWrites: new Counter({
      name: "tailrace_step_writes_total",
      help: "Updates of steps, with or without logs.",
      registers,
    }),
    leaseMoves: new Counter({
      name: "tailrace_lease_moves_total",
      help: "Steps that this server took over from another holder.",
      registers,
    }),
    watchConnected: new Gauge({
      name: "tailrace_watch_connected",
      help: "1 while every watch on the cluster is connected.",
      registers,
    }),
    collector: createCollectorMetrics(registry),
  };
}
