import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogSource } from "@tailrace/core";
import { METRICS_TOKEN, sumOf } from "../e2e/support/metrics.ts";
import { spawnServer, type ServerProcess } from "../e2e/support/server.ts";
import { startChild, type BenchChild } from "./support/children.ts";
import { count, someOf, type FlagValues } from "./support/flags.ts";
import { openFolder } from "./support/folder.ts";
import { growthPerHour, type Growth } from "./support/growth.ts";
import { describeMachine, machineText } from "./support/machine.ts";
import { openPostgres, type BenchPostgres } from "./support/postgres.ts";
import { readUse } from "./support/processes.ts";
import { runBench } from "./support/run-bench.ts";
import { sampleServer, type ServerSample } from "./support/server-sample.ts";
import type { SoakClusterAnswer, SoakClusterRequest } from "./support/soak-cluster-child.ts";
import { SoakSlots } from "./support/soak-slots.ts";
import { digits, formatTable, whole } from "./support/table.ts";

const SOURCES: readonly LogSource[] = ["node", "api"];

const FLAGS = {
  minutes: count(60, "how long it is measured in all, the same time with each source"),
  streams: count(500, "containers that are followed at once"),
  sources: someOf(SOURCES, "where their lines are read"),
  life: count(300, "seconds that a run lives on average; behind it comes a new one"),
  busy: count(10, "one stream in so many is busy"),
  rate: count(100, "lines a second of a busy stream"),
  quiet: count(5, "seconds between two lines of a quiet one"),
  every: count(10, "seconds between two samples"),
};

const ABOUT = `One server process follows many containers of a sandbox: most are quiet and some are busy, runs end and new ones begin.
Its memory, open files and connections are looked at all along. Growth is by least squares, with its standard error,
without the first fifth of the time. PostgreSQL and the sandbox with its runners are in processes of their own.

At the end every runner's stream must be sealed, with as many lines as its container has written and without a gap; else
the exit code is 1. The goal is an RSS of at most 300 MiB with 500 streams, and no growth.`;

type Values = FlagValues<typeof FLAGS>;

const VALUES = ["rss", "heap", "external", "fds", "sockets"] as const;

interface SoakResult {
  source: LogSource;
  samples: ServerSample[];
  growth: Record<(typeof VALUES)[number], Growth | null>;
  peakRssMb: number;
  cpuSeconds: number;
  /** Streams of runners, from the first to the last. */
  streams: number;
  lines: number;
  /** What is wrong, a line for each; none where all is right. */
  wrong: string[];
}

const LOOK_MS = 1000;

const START_MS = 180_000;
const END_MS = 180_000;
const SHOWN = 20;

await runBench({ name: "soak", about: ABOUT, flags: FLAGS }, async (values, { signal, say }) => {
  const results: SoakResult[] = [];
  for (const source of values.sources)
    results.push(await soak(source, values, signal, (text) => say(`${source}: ${text}`)));
  if (results.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
  const machine = describeMachine();
  return { figures: { machine, values, results }, text: machineText(machine) + results.map(resultText).join("") };
});

interface Stage {
  postgres: BenchPostgres;
  cluster: BenchChild<SoakClusterAnswer>;
  server: ServerProcess;
}

async function soak(
  source: LogSource,
  values: Values,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<SoakResult> {
  await using parts = new AsyncDisposableStack();
  const stage = await openStage(source, values, parts, signal);
  const { server, cluster } = stage;
  const slots = new SoakSlots(stage, values.streams);
  await slots.prepare();
  await waitFor("all streams to be followed", START_MS, signal, async () => {
    await slots.fill();
    return (await sumOf(server, "tailrace_log_streams_open")) >= values.streams;
  });
  const samples: ServerSample[] = [];
  const since = performance.now();
  const until = since + (values.minutes / values.sources.length) * 60_000;
  const before = (await readUse(server.child.pid!))!;
  for (let next = since; performance.now() < until;) {
    await slots.fill();
    if (performance.now() >= next) {
      next += values.every * 1000;
      const sample = await sampleServer(server, since);
      samples.push(sample);
      say(sampleText(sample));
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
  const use = (await readUse(server.child.pid!))!;
  cluster.send({});
  const answer = await cluster.receive();
  if (answer.kind !== "ended") throw new Error(`the cluster has answered ${answer.kind}`);
  await waitFor("all runs to end", END_MS, signal, async () => (await slots.active()).size === 0);
  const settled = samples.filter(({ seconds }) => seconds * 1000 >= (until - since) / 5);
  return {
    source,
    samples,
    growth: Object.fromEntries(
      VALUES.map((value) => [value, growthPerHour(settled.map((sample) => [sample.seconds, sample[value]]))]),
    ) as SoakResult["growth"],
    peakRssMb: use.peakRssMb,
    cpuSeconds: use.cpuSeconds - before.cpuSeconds,
    ...(await judge(stage.postgres, answer.written)),
  };
}

async function openStage(
  source: LogSource,
  { life, busy, rate, quiet }: Values,
  parts: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Stage> {
  const folder = parts.use(await openFolder());
  const [sandbox, data] = [join(folder.path, "sandbox"), join(folder.path, "data")];
  for (const path of [sandbox, data]) await mkdir(path);
  const postgres = parts.use(await openPostgres(folder.path, signal));
  const request: SoakClusterRequest = {
    folder: sandbox,
    lifeSeconds: life,
    busyEvery: busy,
    rate,
    quietMs: quiet * 1000,
  };
  const cluster = parts.use(startChild<SoakClusterAnswer>({ file: "./soak-cluster-child.ts", request, signal }));
  const answer = await cluster.receive();
  if (answer.kind !== "ready") throw new Error(`the cluster has answered ${answer.kind}`);
  const server = parts.use(
    await spawnServer("start", {
      ...answer.env,
      DATABASE_URL: postgres.url,
      TAILRACE_AUTH: "none",
      TAILRACE_METRICS_TOKEN: METRICS_TOKEN,
      TAILRACE_DATA_DIR: data,
      TAILRACE_NODE_LOGS: source === "node" ? "kubelet" : "off",
      TAILRACE_MAX_ACTIVE_RUNS: "10000",
      TAILRACE_CLEANUP_AFTER: "10s",
    }),
  );
  return { postgres, cluster, server };
}

/** Holds what is stored of every runner against what it has written. */
async function judge(
  postgres: BenchPostgres,
  written: Record<string, number>,
): Promise<Pick<SoakResult, "streams" | "lines" | "wrong">> {
  const rows = await postgres.query<{ pod: string; lines: string; gaps: number; verified: string | null }>(
    "select pod, next_seq as lines, gaps, verified from log_streams where role = 'runner'",
  );
  const stored = new Map(rows.map((row) => [row.pod, row]));
  const wrong: string[] = [];
  for (const [pod, lines] of Object.entries(written)) {
    const row = stored.get(pod);
    if (Number(row?.lines) !== lines)
      wrong.push(`${pod} has written ${lines} lines; ${row?.lines ?? "none"} are stored`);
    else if (row?.gaps !== 0) wrong.push(`${pod} has ${row?.gaps} gaps`);
    else if (row.verified === null) wrong.push(`${pod} is not sealed and verified`);
  }
  return { streams: stored.size, lines: rows.reduce((sum, { lines }) => sum + Number(lines), 0), wrong };
}

async function waitFor(what: string, ms: number, signal: AbortSignal, met: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + ms; !(await met());) {
    if (performance.now() > end) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}

function sampleText({ seconds, streams, lines, rss, heap, external, fds, sockets }: ServerSample): string {
  return (
    `${digits(seconds, 0)} s: ${streams} streams, ${whole(lines)} lines, RSS ${digits(rss, 0)} MiB, ` +
    `heap ${digits(heap, 0)}, external ${digits(external, 0)}, ${fds} fds, ${sockets} sockets`
  );
}

function resultText({ source, samples, growth, peakRssMb, cpuSeconds, streams, lines, wrong }: SoakResult): string {
  const step = Math.max(1, Math.ceil(samples.length / SHOWN));
  const shown = samples.filter((_, index) => index % step === 0 || index === samples.length - 1);
  const cells = (sample: ServerSample): string[] => [
    digits(sample.seconds / 60, 1),
    whole(sample.streams),
    whole(sample.lines),
    ...VALUES.map((value) => digits(sample[value], 0)),
  ];
  const growths = VALUES.map((value) => {
    const grown = growth[value];
    return grown === null ? "-" : `${digits(grown.perHour, 1)} ± ${digits(grown.error, 1)}`;
  });
  const table = formatTable(
    ["minutes", "streams", "lines", ...VALUES],
    [...shown.map(cells), ["growth per hour", "", "", ...growths]],
  );
  const seconds = samples.at(-1)?.seconds ?? 0;
  const summary = `max RSS ${digits(peakRssMb, 0)} MiB; ${digits(cpuSeconds / seconds, 2)} cores; ${whole(streams)} streams of runners, ${whole(lines)} lines; ${wrong.length} wrong\n`;
  return `\n${source}\n${table}${summary}${wrong
    .slice(0, 20)
    .map((what) => `${what}\n`)
    .join("")}`;
}
