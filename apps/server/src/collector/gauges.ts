import type { LogSource } from "@tailrace/core";
import { Gauge, type Registry } from "prom-client";
import type { Pressure } from "./admission.ts";

/** What can be looked at when metrics are asked for. */
export interface CollectorState {
  pressure: () => Pressure;
  tasks: () => { sealed: boolean; source: LogSource; problem: string | null }[];
}

/** Registers what is measured at the moment when metrics are asked for. */
export function registerGauges(registry: Registry, look: () => CollectorState | null): void {
  const open = (): ReturnType<CollectorState["tasks"]> =>
    look()
      ?.tasks()
      .filter(({ sealed }) => !sealed) ?? [];
  const gauge = (name: string, help: string, value: () => number): void =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(value());
        },
      }),
    );
  registry.registerMetric(
    new Gauge({
      name: "tailrace_log_streams_open",
      help: "Containers whose output is followed, by source.",
      labelNames: ["source"],
      registers: [],
      collect() {
        for (const source of ["node", "api"] as const)
          this.set({ source }, open().filter((task) => task.source === source).length);
      },
    }),
  );
  gauge("tailrace_log_streams_failing", "Containers whose log can't be read at present.", () => {
    return open().filter(({ problem }) => problem !== null).length;
  });
  gauge("tailrace_log_waiting_bytes", "Bytes of lines in memory that are not stored yet.", () => {
    return look()?.pressure().memoryBytes ?? 0;
  });
  gauge("tailrace_log_spool_bytes", "Bytes on the disk that wait for the database.", () => {
    return look()?.pressure().spoolBytes ?? 0;
  });
}
