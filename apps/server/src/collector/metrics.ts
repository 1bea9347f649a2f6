import type { GapReason, LogSource, StoredChunk } from "@tailrace/core";
import { Counter, Histogram, type Registry } from "prom-client";
import { registerGauges, type CollectorState } from "./gauges.ts";

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
  registerGauges(registry, () => state);
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
