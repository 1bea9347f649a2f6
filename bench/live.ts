import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VersionApi } from "@kubernetes/client-node";
import { ChunkLines } from "@tailrace/core";
import { loadKubeConfig } from "@tailrace/kubernetes";
import { openLog } from "@tailrace/server";
import { openStoredChunk, openStore } from "@tailrace/store";
import { openNamespace, type TestNamespace } from "../e2e/support/cluster.ts";
import { until } from "../e2e/support/until.ts";
import { startChild } from "./support/children.ts";
import { CpuMeter, type CpuSeconds } from "./support/cpu-meter.ts";
import { count, counts, optionalText, someOf, text, type FlagValues } from "./support/flags.ts";
import { startFollower } from "./support/follower.ts";
import { openFolder } from "./support/folder.ts";
import type { Committed, LiveAnswer, LiveRequest } from "./support/live-child.ts";
import { describeMachine, machineText, type Machine } from "./support/machine.ts";
import { createPod, LINES_IMAGE, untilAccount, untilPods } from "./support/pods.ts";
import { openPostgres, type BenchPostgres } from "./support/postgres.ts";
import { readUse } from "./support/processes.ts";
import type { ReaderAnswer, ReaderEnd, ReaderRequest } from "./support/reader-child.ts";
import { runBench, type BenchReport } from "./support/run-bench.ts";
import { LagSamples, median, type LagSummary } from "./support/statistics.ts";
import { digits, formatTable, whole } from "./support/table.ts";

const OURS = ["kubelet", "proxy", "api"] as const;
const PEERS = ["stern", "kubectl"] as const;

type Ours = (typeof OURS)[number];
type Peer = (typeof PEERS)[number];
type Method = Ours | Peer;

const METHODS: readonly Method[] = [...OURS, ...PEERS];

const NAMES: Record<Method, string> = {
  kubelet: "node files, kubelet's port",
  proxy: "node files, API server's proxy",
  api: "pods/log",
  stern: "stern",
  kubectl: "kubectl logs -f",
};

const FLAGS = {
  pods: count(10, "pods"),
  rates: counts([10_000, 1_000], "lines a second of each pod; each number is measured for itself"),
  quiet: count(
    100,
    "streams that print a line in 5 s for three times as long, as containers of the same pods; 0 for none",
    0,
  ),
  seconds: count(20, "for how long they print"),
  settle: count(3, "seconds after the first line whose lines do not count: pods do not begin at once", 0),
  rounds: count(3, "rounds, each with all loads and methods in turn"),
  methods: someOf(METHODS, "who follows"),
  readers: count(1, "processes that read what we store, and that have to share the cores with us; 0 for none", 0),
  image: text(LINES_IMAGE, "image with the program `lines` and a shell"),
  profile: optionalText("folder for CPU profiles of our processes"),
};

type Values = FlagValues<typeof FLAGS>;

/** What is printed: by each of the pods' containers so many lines, the next one a moment later. */
interface Load {
  name: string;
  pods: number;
  containers: number;
  /** Of each container. */
  lines: number;
  /** For how long it prints. */
  seconds: number;
  /** Seconds after the first line whose lines do not count. */
  settle: number;
  command: string[];
}

/** The value of the label `k6_cr`. */
const TEST_RUN = "live";
const QUIET_SECONDS = 5;
/** Between a container's start and its first line, so that who follows has found it. */
const START_SECONDS = 3;
/** How long behind the pods' end a peer may still print. */
const BEHIND_MS = 30_000;
/** A peer's lines of which one has its time read, where they are many. */
const PEER_SAMPLE = 50;

interface Measured {
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

const ABOUT = `Pods on the cluster of the kubeconfig print lines evenly, and are followed in turn: by our collector into a durable
PostgreSQL, from the node's files and from pods/log, and by stern and kubectl logs. The lag of a line is counted from the
time that the container runtime gave it to its commit, and to a reader in a process of its own that is woken by NOTIFY and
reads pages through the store; of a peer to its being printed into a pipe. What we store must be what a second reading of the
node gives. The clock of the nodes must be this machine's.`;

await runBench({ name: "live", about: ABOUT, flags: FLAGS }, async (values, context) => {
  const { parts, signal, say } = context;
  const folder = parts.use(await openFolder());
  const postgres = parts.use(await openPostgres(folder.path, signal));
  const loads = loadsOf(values);
  const measured: Measured[] = [];
  for (let round = 0; round < values.rounds; round += 1)
    for (const load of loads)
      for (const method of rotated(values.methods, round)) {
        signal.throwIfAborted();
        say(`round ${round + 1}: ${load.name}, ${NAMES[method]}`);
        const spool = join(folder.path, `${round}-${loads.indexOf(load)}-${method}`);
        await mkdir(spool);
        const result = await measure({ method, load, values, postgres, folder: spool, signal });
        measured.push({ method, load: load.name, round, ...result });
      }
  const kubernetes = (await loadKubeConfig().makeApiClient(VersionApi).getCode()).gitVersion;
  return report(describeMachine({ postgres: postgres.settings, kubernetes }), values, loads, measured);
});

function loadsOf({ pods, rates, quiet, seconds, settle }: Values): Load[] {
  const even = rates.map((rate): Load => {
    const print = `exec lines -n ${rate * seconds} -rate ${rate} -size 128 -stderr 50`;
    return {
      name: `${pods} × ${whole(rate)} lines/s`,
      pods,
      containers: 1,
      lines: rate * seconds,
      seconds,
      settle,
      command: ["sh", "-c", `sleep ${START_SECONDS}; ${print}`],
    };
  });
  if (quiet === 0) return even;
  // Peers ask the API server for one stream after the other, for so many for a long time.
  const period = { seconds: seconds * 3, settle: Math.ceil(seconds * 1.5) };
  const lines = Math.ceil(period.seconds / QUIET_SECONDS);
  const loop = `n=0; while [ $n -lt ${lines} ]; do lines -n 1 -size 128; n=$((n+1)); sleep ${QUIET_SECONDS}; done`;
  const containers = Math.ceil(quiet / pods);
  const name = `${pods * containers} streams, a line in ${QUIET_SECONDS} s`;
  return [
    ...even,
    { name, pods, containers, lines, ...period, command: ["sh", "-c", `sleep ${START_SECONDS}; ${loop}`] },
  ];
}

function rotated<T>(items: readonly T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}

interface Case {
  method: Method;
  load: Load;
  values: Values;
  postgres: BenchPostgres;
  folder: string;
  signal: AbortSignal;
}

type Result = Omit<Measured, "method" | "load" | "round">;

async function measure(one: Case): Promise<Result> {
  await using namespace = await openNamespace("tailrace-live");
  await untilAccount(namespace.core, namespace.name, one.signal);
  return one.method === "stern" || one.method === "kubectl"
    ? await followByPeer(one.method, namespace, one)
    : await followByUs(one.method, namespace, one);
}

async function followByUs(by: Ours, namespace: TestNamespace, one: Case): Promise<Result> {
  const { load, values, postgres, folder, signal } = one;
  const request: LiveRequest = {
    databaseUrl: postgres.url,
    namespace: namespace.name,
    by,
    folder,
    testRun: TEST_RUN,
    containers: load.pods * load.containers,
  };
  const common = { profileDirectory: values.profile, signal };
  await using child = startChild<LiveAnswer>({ file: "./live-child.ts", request, ...common });
  const started = await child.receive();
  if (started.kind !== "started") throw new Error("the collector did not start");
  const { teamId, runId } = started;
  const readerRequest: ReaderRequest = { databaseUrl: postgres.url, teamId, runId, settleMs: load.settle * 1000 };
  await using readers = new AsyncDisposableStack();
  const reading = Array.from({ length: values.readers }, () =>
    readers.use(startChild<ReaderAnswer>({ file: "./reader-child.ts", request: readerRequest, ...common })),
  );
  await createPods(namespace, one);
  await untilPods(namespace.core, namespace.name, "Running", signal);
  const [reader] = reading;
  const pids = { collector: child.pid, ...(reader === undefined ? {} : { reader: reader.pid }) };
  const { cores, others } = await measureCores<"collector" | "reader">(pids, one);
  await untilPods(namespace.core, namespace.name, "Succeeded", signal);
  child.send({});
  const sealed = await child.receive();
  if (sealed.kind !== "sealed") throw new Error("the collector did not seal");
  const expected = load.pods * load.containers * load.lines;
  const [unverified] = await postgres.query<{ pod: string }>(
    "select pod from log_streams where run_id = $1 and verified is distinct from 'full'",
    [runId],
  );
  if (unverified !== undefined) throw new Error(`what is stored of ${unverified.pod} is not what its node has`);
  for (const each of reading) each.send({ lines: sealed.lines } satisfies ReaderEnd);
  const read = await Promise.all(reading.map((each) => each.receive()));
  await child.ended();
  await Promise.all(reading.map((each) => each.ended()));
  return {
    lag: await commitLags(postgres.url, sealed.commits, load.settle * 1000),
    readerLag: read[0]?.lag ?? null,
    missing: expected - Math.min(sealed.lines, ...read.map(({ lines }) => lines)),
    cores: cores.collector!,
    readerCores: cores.reader ?? null,
    peakRssMb: sealed.use.peakRssMb,
    otherCores: others,
  };
}

async function followByPeer(peer: Peer, namespace: TestNamespace, one: Case): Promise<Result> {
  const { load, signal } = one;
  const expected = load.pods * load.containers * load.lines;
  await createPods(namespace, one);
  await untilPods(namespace.core, namespace.name, "Running", signal);
  const every = expected < 100_000 ? 1 : PEER_SAMPLE;
  await using follower = startFollower(peer, peerArguments(peer, namespace.name), every, signal);
  const { cores, others } = await measureCores({ collector: follower.pid }, one);
  await untilPods(namespace.core, namespace.name, "Succeeded", signal);
  const use = await follower.use();
  const end = performance.now() + BEHIND_MS;
  await until("the peer's last line", () => follower.lines >= expected || performance.now() > end, BEHIND_MS * 2);
  return {
    lag: follower.samples.summary(load.settle * 1000),
    readerLag: null,
    missing: expected - follower.lines,
    cores: cores.collector!,
    readerCores: null,
    peakRssMb: (await follower.use())?.peakRssMb ?? use?.peakRssMb ?? 0,
    otherCores: others,
  };
}

function peerArguments(peer: Peer, namespace: string): string[] {
  const limits = ["--max-log-requests", "1000"];
  if (peer === "kubectl")
    return [
      "logs",
      "--follow",
      "--timestamps",
      "--all-containers",
      "-n",
      namespace,
      "-l",
      `k6_cr=${TEST_RUN}`,
      ...limits,
    ];
  return ["--namespace", namespace, "--timestamps=default", "--template", '{{.Message}}{{"\\n"}}', ...limits, "."];
}

async function createPods(namespace: TestNamespace, { load, values }: Case): Promise<void> {
  const containers = Array.from({ length: load.containers }, (_, index) => ({
    name: load.containers === 1 ? "k6" : `k6-${index}`,
    command: load.command,
  }));
  for (let pod = 1; pod <= load.pods; pod += 1) {
    const spec = { name: `${TEST_RUN}-${pod}-aaaaa`, testRun: TEST_RUN, image: values.image, containers };
    await createPod(namespace.core, namespace.name, spec);
  }
}

/** Counts cores from when the lines have settled to shortly before they end. */
async function measureCores<Name extends string>(
  pids: Partial<Record<Name, number>>,
  { load, postgres, signal }: Case,
): Promise<{ cores: Partial<Record<Name, number>>; others: CpuSeconds }> {
  await sleep((START_SECONDS + load.settle) * 1000, undefined, { signal });
  const names = Object.keys(pids) as Name[];
  const read = async (): Promise<number[]> =>
    await Promise.all(names.map(async (name) => (await readUse(pids[name]!))?.cpuSeconds ?? Number.NaN));
  const meter = new CpuMeter(postgres.pid);
  await meter.start();
  const before = await read();
  const started = performance.now();
  await sleep(Math.max(1, load.seconds - load.settle - 2) * 1000, undefined, { signal });
  const after = await read();
  const seconds = (performance.now() - started) / 1000;
  const taken = await meter.taken();
  return {
    cores: Object.fromEntries(
      names.map((name, index) => [name, (after[index]! - before[index]!) / seconds]),
    ) as Partial<Record<Name, number>>,
    others: Object.fromEntries(Object.entries(taken).map(([name, used]) => [name, used / seconds])),
  };
}

/** Looks up the time of each line in the rows: the collector was not to be kept from its work with that. */
async function commitLags(
  databaseUrl: string,
  commits: readonly Committed[],
  settleMs: number,
): Promise<LagSummary | null> {
  const log = openLog({ logLevel: "warn", logFormat: "json" }, false);
  await using store = await openStore({ databaseUrl, log });
  const samples = new LagSamples();
  for (const [id, own] of Map.groupBy(commits, ({ stream }) => stream)) {
    const times: number[] = [];
    for await (const stored of store.readChunks({ id, day: own[0]!.day }))
      for (const lines = new ChunkLines(await openStoredChunk(stored)); lines.next();)
        times.push(lines.seconds * 1000 + lines.nanos / 1e6);
    for (const { firstSeq, lines, at } of own)
      for (let seq = firstSeq; seq < firstSeq + lines; seq += 1) samples.add(times[seq]!, at - times[seq]!);
  }
  return samples.summary(settleMs);
}

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

function report(machine: Machine, values: Values, loads: readonly Load[], measured: readonly Measured[]): BenchReport {
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
