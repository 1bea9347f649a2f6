import type { CpuSeconds } from "../support/cpu-meter.ts";
import { machineText, type Machine } from "../support/machine.ts";
import type { BenchReport } from "../support/run-bench.ts";
import { median, type LagSummary } from "../support/statistics.ts";
import { digits, formatTable, whole } from "../support/table.ts";
import type { Measured } from "./case.ts";
import type { Load } from "./loads.ts";
import { NAMES, type Method, type Values } from "./settings.ts";

interface Summary {
  method: Method;
  load: string;
  /** Medians of the rounds' figures. */
  lag: LagSummary | null;
  readerLag: LagSummary | null;
  missing: number;
  cores: number;
  readerCores: number | null;
  peakRssMb: number;
  otherCores: CpuSeconds;
}

export function report(
  machine: Machine,
  values: Values,
  loads: readonly Load[],
  measured: readonly Measured[],
): BenchReport {
  const summaries = loads.flatMap(({ name }) => values.methods.map((method) => summarize(method, name, measured)));
  const others = ["postgres", "kubelet", "kube-apiserver"];
  const lags = (lag: LagSummary | null): string[] => [digits(lag?.p50, 0), digits(lag?.p99, 0), digits(lag?.max, 0)];
  const rows = summaries.map((summary) => [
    `${summary.load}: ${NAMES[summary.method]}`,
    ...lags(summary.lag),
    ...lags(summary.readerLag),
    whole(summary.missing),
    digits(summary.cores, 2),
    digits(summary.readerCores, 2),
    whole(summary.peakRssMb),
    ...others.map((name) => digits(summary.otherCores[name], 2)),
  ]);
  const heads = [
    "",
    "p50 ms",
    "p99",
    "max",
    "reader p50",
    "p99",
    "max",
    "missing",
    "cores",
    "reader's",
    "peak MB",
    ...others,
  ];
  const text = `${machineText(machine)}
Lag of lines to their commit, to a reader that was woken, of a peer to its printing; cores of each process. Medians of ${values.rounds}
rounds of ${values.seconds} s, the first ${values.settle} s left out; of quiet streams three times as long, without the first half. Missing: lines of a peer that had not come 30 s after the pods' end;
of ours, and of any peer, lines that the runtime has not written to the node's file.
${formatTable(heads, rows)}`;
  return { figures: { bench: "live", machine, summaries, measured }, text };
}

function summarize(method: Method, load: string, measured: readonly Measured[]): Summary {
  const own = measured.filter((one) => one.method === method && one.load === load);
  const lag = (lags: (LagSummary | null)[]): LagSummary | null => {
    const there = lags.filter((one) => one !== null);
    if (there.length === 0) return null;
    const of = (field: keyof LagSummary): number => median(there.map((one) => one[field]));
    return { lines: of("lines"), p50: of("p50"), p99: of("p99"), max: of("max") };
  };
  const readers = own.flatMap(({ readerCores }) => (readerCores === null ? [] : [readerCores]));
  const names = [...new Set(own.flatMap(({ otherCores }) => Object.keys(otherCores)))];
  return {
    method,
    load,
    lag: lag(own.map((one) => one.lag)),
    readerLag: lag(own.map((one) => one.readerLag)),
    missing: median(own.map(({ missing }) => missing)),
    cores: median(own.map(({ cores }) => cores)),
    readerCores: readers.length === 0 ? null : median(readers),
    peakRssMb: median(own.map(({ peakRssMb }) => peakRssMb)),
    otherCores: Object.fromEntries(
      names.map((name) => [name, median(own.map(({ otherCores }) => otherCores[name] ?? 0))]),
    ),
  };
}
