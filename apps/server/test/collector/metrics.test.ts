import type { StoredChunk } from "@tailrace/core";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createCollectorMetrics } from "../../src/collector/metrics.ts";

const PRESSURE = { memoryBytes: 7, memoryLimit: 100, spooling: true, spoolBytes: 11, spoolLimit: 1000 };

/** Of what is counted here, a chunk with so many lines whose newest one is so old. */
function chunk(lines: number, ageMs: number): StoredChunk {
  const maxTime = BigInt(Date.now() - ageMs) * 1_000_000n;
  return { lines, outputBytes: lines * 10, maxTime, data: new Uint8Array(lines) } as StoredChunk;
}

async function samples(registry: Registry): Promise<string[]> {
  const text = await registry.metrics();
  return text.split("\n").filter((each) => each !== "" && !each.startsWith("#"));
}

test("the collector's metrics are there before anything has happened", async () => {
  const registry = new Registry();
  createCollectorMetrics(registry);
  const lines = await samples(registry);
  for (const name of ["lines", "bytes", "stored_bytes", "unjoined"])
    expect(lines).toContain(`tailrace_log_${name}_total 0`);
  for (const name of ["streams_failing", "waiting_bytes", "spool_bytes"])
    expect(lines).toContain(`tailrace_log_${name} 0`);
  for (const source of ["node", "api"]) expect(lines).toContain(`tailrace_log_streams_open{source="${source}"} 0`);
});

test("what the collector did and how it stands is shown, by source and reason and by nothing without a bound", async () => {
  const registry = new Registry();
  const metrics = createCollectorMetrics(registry);
  metrics.watch({
    pressure: () => PRESSURE,
    tasks: () => [
      { sealed: false, source: "node", problem: null },
      { sealed: false, source: "api", problem: "HTTP 503" },
      { sealed: true, source: "api", problem: null },
    ],
  });
  metrics.committed([chunk(3, 150), chunk(4, 70_000)], performance.now() - 30);
  metrics.reopened("api", "eof");
  metrics.reopened("api", "eof");
  metrics.gap("rotated");
  metrics.sealed("full");
  metrics.sealed(null);
  metrics.unjoined();
  const lines = await samples(registry);
  expect(lines).toEqual(
    expect.arrayContaining([
      "tailrace_log_lines_total 7",
      "tailrace_log_bytes_total 70",
      "tailrace_log_stored_bytes_total 7",
      'tailrace_log_lag_seconds_bucket{le="0.1"} 0',
      'tailrace_log_lag_seconds_bucket{le="60"} 1',
      'tailrace_log_lag_seconds_bucket{le="+Inf"} 2',
      'tailrace_log_commit_seconds_bucket{le="0.02"} 0',
      'tailrace_log_commit_seconds_bucket{le="+Inf"} 2',
      'tailrace_log_reopens_total{source="api",reason="eof"} 2',
      'tailrace_log_gaps_total{reason="rotated"} 1',
      'tailrace_log_seals_total{verified="full"} 1',
      'tailrace_log_seals_total{verified="no"} 1',
      "tailrace_log_unjoined_total 1",
      'tailrace_log_streams_open{source="node"} 1',
      'tailrace_log_streams_open{source="api"} 1',
      "tailrace_log_streams_failing 1",
      "tailrace_log_waiting_bytes 7",
      "tailrace_log_spool_bytes 11",
    ]),
  );
  const labels = new Set(lines.flatMap((each) => [...each.matchAll(/(\w+)="/g)].map(([, name]) => name)));
  expect(labels).toEqual(new Set(["le", "reason", "source", "verified"]));
});
