import type { GapReason, LogSource, StoredChunk } from "@tailrace/core";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Pressure } from "./admission.ts";

/** What can be looked at when metrics are asked for. */
export interface CollectorState {
  pressure: () => Pressure;
  tasks: () => { sealed: boolean; source: LogSource; problem: string | null }[];
}

/** What the collector counts. No label names a run, a team or a container: their number has no bound. */
export interface CollectorMetrics {
  committed(chunks: readonly StoredChunk[], readAt: number): void;
  reopened(source: LogSource, reason: string): void;
  gap(reason: GapReason): void;
  sealed(verified: "full" | "suffix" | null): void;
  unjoined(): void;
  /** Names what the gauges look at. */
  watch(state: CollectorState): void;
}

const SECONDS = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 60];

export function createCollectorMetrics(registry: Registry): CollectorMetrics {
  const registers = [registry];
  let state: CollectorState | null = null;
  const lines = new Counter({ name: "tailrace_log_lines_total", help: "Lines stored.", registers });
  const bytes = new Counter({ name: "tailrace_log_bytes_total", help: "Bytes of stored lines.", registers });
  const stored = new Counter({
    name: "tailrace_log_stored_bytes_total",
    help: "Bytes of chunks as they were first stored.",
    registers,
  });
  const lag = new Histogram({
    name: "tailrace_log_lag_seconds",
    help: "From the time of a chunk's newest line, by the node's clock, to its commit.",
    buckets: SECONDS,
    registers,
  });
  const commit = new Histogram({
    name: "tailrace_log_commit_seconds",
    help: "From the reading of a chunk's last bytes to its commit.",
    buckets: SECONDS,
    registers,
  });
  const gaps = new Counter({
    name: "tailrace_log_gaps_total",
    help: "Marked places where lines are or may be missing.",
    labelNames: ["reason"],
    registers,
  });
  const reopens = new Counter({
    name: "tailrace_log_reopens_total",
    help: "Requests for logs that had to be made again.",
    labelNames: ["source", "reason"],
    registers,
  });
  const seals = new Counter({
    name: "tailrace_log_seals_total",
    help: "Streams that were sealed, by how they were verified.",
    labelNames: ["verified"],
    registers,
  });
  const unjoined = new Counter({
    name: "tailrace_log_unjoined_total",
    help: "Records of another server that could not be joined and are kept.",
    registers,
  });
  new Gauge({
    name: "tailrace_log_streams_open",
    help: "Containers whose output is followed, by source.",
    labelNames: ["source"],
    registers,
    collect() {
      const open = state?.tasks().filter(({ sealed }) => !sealed) ?? [];
      for (const source of ["node", "api"] as const)
        this.set({ source }, open.filter((task) => task.source === source).length);
    },
  });
  new Gauge({
    name: "tailrace_log_streams_failing",
    help: "Containers whose log can't be read at present.",
    registers,
    collect() {
      this.set(state?.tasks().filter(({ sealed, problem }) => !sealed && problem !== null).length ?? 0);
    },
  });
  new Gauge({
    name: "tailrace_log_waiting_bytes",
    help: "Bytes of lines in memory that are not stored yet.",
    registers,
    collect() {
      this.set(state?.pressure().memoryBytes ?? 0);
    },
  });
  new Gauge({
    name: "tailrace_log_spool_bytes",
    help: "Bytes on the disk that wait for the database.",
    registers,
    collect() {
      this.set(state?.pressure().spoolBytes ?? 0);
    },
  });
  return {
    committed(chunks, readAt) {
      const now = Date.now();
      const waited = (performance.now() - readAt) / 1000;
      for (const chunk of chunks) {
        lines.inc(chunk.lines);
        bytes.inc(chunk.outputBytes);
        stored.inc(chunk.data.length);
        lag.observe(Math.max(0, now - Number(chunk.maxTime / 1_000_000n)) / 1000);
        commit.observe(waited);
      }
    },
    reopened: (source, reason) => reopens.inc({ source, reason }),
    gap: (reason) => gaps.inc({ reason }),
    sealed: (verified) => seals.inc({ verified: verified ?? "no" }),
    unjoined: () => unjoined.inc(),
    watch: (watched) => (state = watched),
  };
}
