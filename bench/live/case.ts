import { setTimeout as sleep } from "node:timers/promises";
import type { TestNamespace } from "../../e2e/support/cluster.ts";
import { CpuMeter, type CpuSeconds } from "../support/cpu-meter.ts";
import { createPod } from "../support/pods.ts";
import type { BenchPostgres } from "../support/postgres.ts";
import { readUse } from "../support/processes.ts";
import type { LagSummary } from "../support/statistics.ts";
import { START_SECONDS, type Load } from "./loads.ts";
import type { Method, Values } from "./settings.ts";

/** The value of the label `k6_cr`. */
export const TEST_RUN = "live";

/** One load that one method follows. */
export interface Case {
  method: Method;
  load: Load;
  values: Values;
  postgres: BenchPostgres;
  folder: string;
  signal: AbortSignal;
}

export interface Measured {
  method: Method;
  load: string;
  round: number;
  /** From a line's time, which the container runtime gives it, to its commit; of a peer to its printing. */
  lag: LagSummary | null;
  /** To a reader in another process that PostgreSQL's NOTIFY had woken. */
  readerLag: LagSummary | null;
  /** Lines that were never there; a peer is not waited for longer than 30 s. Of ours what the runtime never wrote. */
  missing: number;
  /** Of one core, while lines were printed evenly. */
  cores: number;
  readerCores: number | null;
  peakRssMb: number;
  otherCores: CpuSeconds;
}

export type Result = Omit<Measured, "method" | "load" | "round">;

export async function createPods(namespace: TestNamespace, { load, values }: Case): Promise<void> {
  const containers = Array.from({ length: load.containers }, (_, index) => ({
    name: load.containers === 1 ? "k6" : `k6-${index}`,
    command: load.command,
  }));
  for (let pod = 1; pod <= load.pods; pod += 1) {
    const spec = { name: `${TEST_RUN}-${pod}-aaaaa`, testRun: TEST_RUN, image: values.image, containers };
    await createPod(namespace.core, namespace.name, spec);
  }
}

/** Counts the cores that processes take from when the lines have settled to shortly before they end. */
export async function measureCores(
  pids: readonly number[],
  { load, postgres, signal }: Case,
): Promise<{ cores: number[]; others: CpuSeconds }> {
  await sleep((START_SECONDS + load.settle) * 1000, undefined, { signal });
  const read = async (): Promise<number[]> =>
    await Promise.all(pids.map(async (pid) => (await readUse(pid))?.cpuSeconds ?? Number.NaN));
  const meter = new CpuMeter(postgres.pid);
  await meter.start();
  const before = await read();
  const started = performance.now();
  await sleep(Math.max(1, load.seconds - load.settle - 2) * 1000, undefined, { signal });
  const after = await read();
  const seconds = (performance.now() - started) / 1000;
  const taken = await meter.taken();
  return {
    cores: pids.map((_, index) => (after[index]! - before[index]!) / seconds),
    others: Object.fromEntries(Object.entries(taken).map(([name, used]) => [name, used / seconds])),
  };
}
