import { createHash } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import type { Readable } from "node:stream";
import { VersionApi } from "@kubernetes/client-node";
import { loadKubeConfig } from "@tailrace/kubernetes";
import { openNamespace } from "../e2e/support/cluster.ts";
import { startChild } from "./support/children.ts";
import { runCommand, type Command, type CommandUse } from "./support/commands.ts";
import { CpuMeter, type CpuSeconds } from "./support/cpu-meter.ts";
import { curlArguments } from "./support/curl.ts";
import type { DrainAnswer, DrainRequest } from "./support/drain-child.ts";
import { count, optionalText, someOf, text, type FlagValues } from "./support/flags.ts";
import { openFolder } from "./support/folder.ts";
import { describeMachine, machineText, type Machine } from "./support/machine.ts";
import { createPod, LINES_IMAGE, untilAccount, untilPods } from "./support/pods.ts";
import { openPostgres, type BenchPostgres } from "./support/postgres.ts";
import { runBench, type BenchContext, type BenchReport } from "./support/run-bench.ts";
import { median, spread, type Spread } from "./support/statistics.ts";
import { readStoredOutput, type OutputSum } from "./support/stored-output.ts";
import { digits, formatTable, whole } from "./support/table.ts";

const OURS = ["kubelet", "proxy", "api"] as const;
const PEERS = ["stern", "kubectl", "curl"] as const;

type Ours = (typeof OURS)[number];
type Peer = (typeof PEERS)[number];
type Method = Ours | Peer;

const METHODS: readonly Method[] = [...OURS, ...PEERS];

const NAMES: Record<Method, string> = {
  kubelet: "node file, kubelet's port → PostgreSQL",
  proxy: "node file, API server's proxy → PostgreSQL",
  api: "pods/log → PostgreSQL",
  stern: "stern → /dev/null",
  kubectl: "kubectl logs → /dev/null",
  curl: "curl pods/log → /dev/null",
};

const FLAGS = {
  lines: count(2_000_000, "lines of the container that is made for it"),
  rounds: count(3, "rounds, each with all methods in turn"),
  methods: someOf(METHODS, "what is measured"),
  namespace: optionalText("namespace of a pod that has ended and is read in the place of one that is made"),
  pod: optionalText("name of that pod; it has one container and the label k6_cr"),
  image: text(LINES_IMAGE, "image with the program `lines`"),
  profile: optionalText("folder for CPU profiles of our processes"),
};

type Values = FlagValues<typeof FLAGS>;

/** The pod whose log is read. */
interface Target {
  namespace: string;
  pod: string;
  testRun: string;
}

interface Measured {
  method: Method;
  round: number;
  /** To the commit of the last line, or to the end of the peer's process. */
  seconds: number;
  cpuSeconds: number;
  peakRssMb: number;
  /** Of ours: to the seal. */
  sealedSeconds: number | null;
  sealedCpuSeconds: number | null;
  sealedPeakRssMb: number | null;
  verified: "full" | "suffix" | null;
  /** Of PostgreSQL and the cluster; with ours to the seal. */
  others: CpuSeconds;
}

const ABOUT = `Reads the log of one ended container on the cluster of the kubeconfig, in turn by us into a durable PostgreSQL and
by stern, kubectl logs and curl to /dev/null. Ours is the collector of the server, each time in a fresh process, with all
checks on: checksums, the seal, the second reading of the source. Behind each of our rounds what is stored is added up from
the rows and compared with what \`pods/log\` gives. The kubelet must not rotate the log: containerLogMaxSize above its size.`;

await runBench({ name: "drain", about: ABOUT, flags: FLAGS }, async (values, context) => {
  const { parts, signal, say } = context;
  const folder = parts.use(await openFolder());
  const postgres = parts.use(await openPostgres(folder.path, signal));
  const target = await findTarget(values, context);
  const expected = await readReference(target, folder.path, signal);
  say(`${target.pod}: ${whole(expected.lines)} lines, ${whole(expected.bytes)} bytes`);
  if (values.pod === null && expected.lines !== values.lines)
    throw new Error(`pods/log shows ${expected.lines} of ${values.lines} lines: the kubelet has rotated the log`);
  const peers = await peerCommands(target, folder.path);
  const measured: Measured[] = [];
  for (let round = 0; round < values.rounds; round += 1)
    for (const method of rotated(values.methods, round)) {
      say(`round ${round + 1}: ${NAMES[method]}`);
      const meter = new CpuMeter(postgres.pid);
      await meter.start();
      const result = isOurs(method)
        ? await runOurs(method, {
            target,
            postgres,
            folder: folder.path,
            expected,
            profile: values.profile,
            meter,
            signal,
          })
        : { ...fromPeer(await runCommand(peers[method], signal)), others: await meter.taken() };
      measured.push({ method, round, ...result });
    }
  const kubernetes = (await loadKubeConfig().makeApiClient(VersionApi).getCode()).gitVersion;
  return report(describeMachine({ postgres: postgres.settings, kubernetes }), expected, values.methods, measured);
});

async function findTarget({ namespace, pod, lines, image }: Values, context: BenchContext): Promise<Target> {
  const { parts, signal, say } = context;
  if (namespace !== null && pod !== null) {
    const core = loadKubeConfig().makeApiClient((await import("@kubernetes/client-node")).CoreV1Api);
    const { metadata } = await core.readNamespacedPod({ namespace, name: pod });
    const testRun = metadata?.labels?.["k6_cr"];
    if (testRun === undefined) throw new Error(`pod ${pod} has no label k6_cr`);
    return { namespace, pod, testRun };
  }
  const own = parts.use(await openNamespace("tailrace-drain"));
  say(`a container prints ${whole(lines)} lines in namespace ${own.name}`);
  await untilAccount(own.core, own.name, signal);
  const target = { namespace: own.name, pod: "drain-1-aaaaa", testRun: "drain" };
  const command = ["lines", "-n", String(lines), "-size", "128", "-stderr", "50"];
  await createPod(own.core, own.name, {
    name: target.pod,
    testRun: target.testRun,
    image,
    containers: [{ name: "k6", command }],
  });
  await untilPods(own.core, own.name, "Succeeded", signal);
  return target;
}

/** What the container wrote, by the log API alone: without timestamps it gives the very bytes. */
async function readReference(target: Target, folder: string, signal: AbortSignal): Promise<OutputSum> {
  const hash = createHash("sha256");
  let lines = 0;
  let bytes = 0;
  const output = async (stdout: Readable): Promise<void> => {
    stdout.on("data", (piece: Buffer) => {
      hash.update(piece);
      bytes += piece.length;
      for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) lines += 1;
    });
    await once(stdout, "end");
  };
  await runCommand({ file: "curl", args: await curlArguments(logPath(target, ""), folder), output }, signal);
  return { lines, bytes, sha256: hash.digest("hex") };
}

function logPath({ namespace, pod }: Target, query: string): string {
  return `/api/v1/namespaces/${namespace}/pods/${pod}/log${query}`;
}

/** Each with timestamps, as our own reading of `pods/log`. */
async function peerCommands(target: Target, folder: string): Promise<Record<Peer, Command>> {
  const { namespace, pod } = target;
  return {
    stern: {
      file: "stern",
      args: ["--namespace", namespace, "--no-follow", "--tail=-1", "--since=48h", "--timestamps", `^${pod}$`],
    },
    kubectl: { file: "kubectl", args: ["logs", "--namespace", namespace, "--timestamps", pod] },
    curl: { file: "curl", args: await curlArguments(logPath(target, "?timestamps=true"), folder) },
  };
}

function isOurs(method: Method): method is Ours {
  return (OURS as readonly Method[]).includes(method);
}

/** Every method is the first one once. */
function rotated<T>(items: readonly T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}

interface OurRun {
  target: Target;
  postgres: BenchPostgres;
  folder: string;
  expected: OutputSum;
  profile: string | null;
  meter: CpuMeter;
  signal: AbortSignal;
}

type Result = Omit<Measured, "method" | "round">;

async function runOurs(by: Ours, run: OurRun): Promise<Result> {
  const { target, postgres, expected, signal } = run;
  const folder = join(run.folder, "spool");
  await mkdir(folder, { recursive: true });
  const request: DrainRequest = { databaseUrl: postgres.url, by, folder, ...target };
  await using child = startChild<DrainAnswer>({
    file: "./drain-child.ts",
    request,
    profileDirectory: run.profile,
    signal,
  });
  const answer = await child.receive();
  const others = await run.meter.taken();
  await child.ended();
  if ((answer.source === "api") !== (by === "api")) throw new Error(`it was read by ${answer.source}, not by ${by}`);
  const stored = await readStoredOutput(postgres.url, answer.streamId);
  for (const [what, sum] of Object.entries({ rows: stored, seal: answer.seal }))
    if (sum.lines !== expected.lines || sum.bytes !== expected.bytes || sum.sha256 !== expected.sha256)
      throw new Error(
        `the ${what} have ${sum.lines} lines, SHA-256 ${sum.sha256}; written were ${JSON.stringify(expected)}`,
      );
  if (answer.seal.truncated !== null) throw new Error(`the stream was sealed as cut: ${answer.seal.truncated}`);
  return {
    seconds: answer.storedSeconds,
    cpuSeconds: answer.storedCpuSeconds,
    peakRssMb: answer.storedPeakRssMb,
    sealedPeakRssMb: answer.sealedPeakRssMb,
    sealedSeconds: answer.sealedSeconds,
    sealedCpuSeconds: answer.sealedCpuSeconds,
    verified: answer.seal.verified,
    others,
  };
}

function fromPeer({ seconds, cpuSeconds, peakRssMb }: CommandUse): Omit<Result, "others"> {
  return {
    seconds,
    cpuSeconds,
    peakRssMb,
    sealedPeakRssMb: null,
    sealedSeconds: null,
    sealedCpuSeconds: null,
    verified: null,
  };
}

interface Summary {
  method: Method;
  linesPerSecond: Spread;
  /** Of the lines a second, to stern's of the same round; null without stern. */
  ratioToStern: Spread | null;
  seconds: Spread;
  sealedSeconds: Spread | null;
  cpuSeconds: Spread;
  sealedCpuSeconds: Spread | null;
  /** CPU seconds to the last line, by the seconds that took. */
  cores: Spread;
  peakRssMb: Spread;
  others: CpuSeconds;
}

function report(
  machine: Machine,
  expected: OutputSum,
  methods: readonly Method[],
  measured: readonly Measured[],
): BenchReport {
  const summaries = methods.map((method) => summarize(method, expected.lines, measured));
  const heads = ["", "lines/s", "× stern", "stored s", "CPU s", "cores", "sealed s", "CPU s", "peak MB"];
  const others = ["postgres", "kubelet", "kube-apiserver"];
  const rows = summaries.map((summary) => [
    NAMES[summary.method],
    whole(summary.linesPerSecond.median),
    digits(summary.ratioToStern?.median, 1),
    digits(summary.seconds.median, 2),
    digits(summary.cpuSeconds.median, 2),
    digits(summary.cores.median, 2),
    digits(summary.sealedSeconds?.median, 2),
    digits(summary.sealedCpuSeconds?.median, 2),
    whole(summary.peakRssMb.median),
    ...others.map((name) => digits(summary.others[name], 2)),
  ]);
  const verified = measured.flatMap(({ method, verified }) => (isOurs(method) ? [`${method}: ${verified}`] : []));
  const text = `${machineText(machine)}
One ended container of ${whole(expected.lines)} lines, ${whole(expected.bytes)} bytes; medians of ${Math.max(0, ...measured.map(({ round }) => round)) + 1} rounds.
${formatTable([...heads, ...others.map((name) => `${name} CPU s`)], rows)}
Stored rows and seals have the lines and the SHA-256 of pods/log in every round (second reading: ${[...new Set(verified)].join(", ")}).
`;
  return { figures: { bench: "drain", machine, output: expected, summaries, measured }, text };
}

function summarize(method: Method, lines: number, measured: readonly Measured[]): Summary {
  const own = measured.filter((one) => one.method === method);
  const stern = new Map(measured.filter((one) => one.method === "stern").map(({ round, seconds }) => [round, seconds]));
  const ratios = own.flatMap(({ round, seconds }) => (stern.has(round) ? [stern.get(round)! / seconds] : []));
  const sealed = own.flatMap(({ sealedSeconds }) => (sealedSeconds === null ? [] : [sealedSeconds]));
  const sealedCpu = own.flatMap(({ sealedCpuSeconds }) => (sealedCpuSeconds === null ? [] : [sealedCpuSeconds]));
  const names = [...new Set(own.flatMap(({ others }) => Object.keys(others)))];
  return {
    method,
    linesPerSecond: spread(own.map(({ seconds }) => lines / seconds)),
    ratioToStern: ratios.length === 0 ? null : spread(ratios),
    seconds: spread(own.map(({ seconds }) => seconds)),
    sealedSeconds: sealed.length === 0 ? null : spread(sealed),
    cpuSeconds: spread(own.map(({ cpuSeconds }) => cpuSeconds)),
    sealedCpuSeconds: sealedCpu.length === 0 ? null : spread(sealedCpu),
    cores: spread(own.map(({ seconds, cpuSeconds }) => cpuSeconds / seconds)),
    peakRssMb: spread(own.map(({ peakRssMb }) => peakRssMb)),
    others: Object.fromEntries(names.map((name) => [name, median(own.map(({ others }) => others[name] ?? 0))])),
  };
}
