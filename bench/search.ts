import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text as readText } from "node:stream/consumers";
import type { LogFilter } from "@tailrace/core";
import { openLog } from "@tailrace/server";
import { openStore } from "@tailrace/store";
import { openSandbox, type TestSandbox } from "../e2e/support/sandbox.ts";
import { spawnServer, type ServerProcess } from "../e2e/support/server.ts";
import { startChild, type BenchChild } from "./support/children.ts";
import { isInstalled, runCommand } from "./support/commands.ts";
import { fillStreams } from "./support/fill.ts";
import { count, counts, optionalText, someOf, type FlagValues } from "./support/flags.ts";
import { openFolder } from "./support/folder.ts";
import { LINE_BYTES } from "./support/k6-lines.ts";
import { describeMachine, machineText, type Machine } from "./support/machine.ts";
import { dropPageCache } from "./support/page-cache.ts";
import { openPostgres, type BenchPostgres } from "./support/postgres.ts";
import { readUse, treeCpuSeconds } from "./support/processes.ts";
import { runBench, type BenchContext, type BenchReport } from "./support/run-bench.ts";
import type { SearchAnswer, SearchQuestion, SearchRequest } from "./support/search-child.ts";
import { spread, type Spread } from "./support/statistics.ts";
import { makeStep } from "./support/step.ts";
import { digits, formatTable, whole } from "./support/table.ts";

const SEARCHES = ["rare", "frequent", "none", "folded", "regex"] as const;
const METHODS = ["store", "api", "rg"] as const;
const STATES = ["cold", "warm"] as const;

type Search = (typeof SEARCHES)[number];
type Method = (typeof METHODS)[number];
type State = (typeof STATES)[number];

const FLAGS = {
  lines: counts([1_000_000, 10_000_000], "how many stored lines; each number is measured for itself"),
  streams: count(10, "streams that they are of"),
  rounds: count(5, "warm rounds, each with all searches and methods in turn"),
  cold: count(3, "cold rounds; 0 for none", 0),
  searches: someOf(SEARCHES, "what is looked for"),
  seed: count(1, "of the lines' text"),
  profile: optionalText("folder for CPU profiles of the process that searches through the store"),
};

type Values = FlagValues<typeof FLAGS>;

interface Pattern {
  text: string;
  kind: "substring" | "regex";
  ignoreCase: boolean;
}

/** @param lines - of each stream */
function patternOf(search: Search, lines: number): Pattern {
  switch (search) {
    case "rare":
      return { text: ` n=${Math.floor(lines * 0.7)} `, kind: "substring", ignoreCase: false };
    case "frequent":
      return { text: "checkout", kind: "substring", ignoreCase: false };
    case "none":
      return { text: "connection refused", kind: "substring", ignoreCase: false };
    case "folded":
      return { text: "CART CHECKOUT", kind: "substring", ignoreCase: true };
    case "regex":
      return { text: "level=error.*checkout", kind: "regex", ignoreCase: false };
  }
}

interface Measured {
  lines: number;
  search: Search;
  method: Method;
  state: State;
  round: number;
  milliseconds: number;
  matches: number;
  /** Of the process that searched, and of PostgreSQL; null where they are too short to be told. */
  cpuSeconds: number | null;
  postgresCpuSeconds: number | null;
}

/** The greatest resident set of each process, in MB. */
type PeakRss = Record<"store" | "api", number>;

const ABOUT = `Fills a PostgreSQL with generated lines that look like those of k6's console.log (${LINE_BYTES} bytes, 16 random hex digits in
each), as the collector leaves them, and counts those that match: through the store, through the HTTP API of a server in a
process of its own, and with ripgrep (else grep) in a file of the same lines. Cold is the first search of a new process on a
PostgreSQL that was started anew, with its files and the raw file dropped from the system's memory where that can be done.
Warm is any later one. All must find as many lines.`;

await runBench({ name: "search", about: ABOUT, flags: FLAGS }, async (values, context) => {
  const { parts, signal, say } = context;
  const folder = parts.use(await openFolder());
  const postgres = parts.use(await openPostgres(folder.path, signal));
  const sandbox = parts.use(await openSandbox({ mode: "replay" }));
  const grep = (await isInstalled("rg")) ? "rg" : "grep";
  const measured: Measured[] = [];
  const peaks: { lines: number; peakRssMb: PeakRss }[] = [];
  const raw: { lines: number; bytes: number }[] = [];
  let dropped = true;
  for (const lines of values.lines) {
    say(`${whole(lines)} lines are stored`);
    const rawFile = join(folder.path, "raw.log");
    const { run, bytes } = await fill(postgres, rawFile, { lines, values, signal });
    raw.push({ lines, bytes });
    const peakRssMb: PeakRss = { store: 0, api: 0 };
    peaks.push({ lines, peakRssMb });
    const bench: Bench = { values, lines, run, rawFile, postgres, sandbox, grep, measured, peakRssMb, context };
    for (let round = 0; round < values.cold; round += 1) dropped = (await searchCold(bench, round)) && dropped;
    await searchWarm(bench);
    await rm(rawFile);
  }
  return report(describeMachine({ postgres: postgres.settings }), { values, raw, peaks, grep, dropped }, measured);
});

interface Run {
  teamId: string;
  runId: string;
}

async function fill(
  postgres: BenchPostgres,
  rawFile: string,
  { lines, values, signal }: { lines: number; values: Values; signal: AbortSignal },
): Promise<{ run: Run; bytes: number }> {
  const log = openLog({ logLevel: "warn", logFormat: "json" }, false);
  await using store = await openStore({ databaseUrl: postgres.url, log });
  const step = await makeStep(store, `search-${lines}`);
  const { streams, seed } = values;
  const bytes = await fillStreams({ store, step, lines, streams, seed, rawFile, signal });
  // Else PostgreSQL would write for a while, beside the searches.
  await postgres.query("vacuum analyze");
  await postgres.query("checkpoint");
  return { run: { teamId: step.teamId, runId: step.runId }, bytes };
}

interface Bench {
  values: Values;
  lines: number;
  run: Run;
  rawFile: string;
  postgres: BenchPostgres;
  sandbox: TestSandbox;
  grep: "rg" | "grep";
  measured: Measured[];
  peakRssMb: PeakRss;
  context: BenchContext;
}

/** One who can be asked to search. */
interface Searcher extends AsyncDisposable {
  search(pattern: Pattern): Promise<Omit<Measured, "lines" | "search" | "method" | "state" | "round">>;
}

/** @returns false when something stayed in memory */
async function searchCold(bench: Bench, round: number): Promise<boolean> {
  const { values, postgres, rawFile, context } = bench;
  let dropped = true;
  for (const search of values.searches)
    for (const method of METHODS) {
      context.signal.throwIfAborted();
      context.say(`${whole(bench.lines)} lines, cold round ${round + 1}: ${search}, ${method}`);
      const drop = async (path: string): Promise<void> => void (dropped = (await dropPageCache(path)) && dropped);
      await postgres.restart(() => drop(postgres.directory));
      await drop(rawFile);
      await using searcher = await openSearcher(method, bench);
      await measure(searcher, bench, { search, method, state: "cold", round });
    }
  return dropped;
}

async function searchWarm(bench: Bench): Promise<void> {
  const { values, context } = bench;
  await using parts = new AsyncDisposableStack();
  const searchers: { method: Method; searcher: Searcher }[] = [];
  for (const method of METHODS) searchers.push({ method, searcher: parts.use(await openSearcher(method, bench)) });
  for (let round = -1; round < values.rounds; round += 1) {
    context.say(`${whole(bench.lines)} lines, ${round < 0 ? "warming up" : `warm round ${round + 1}`}`);
    for (const search of values.searches)
      for (const { method, searcher } of rotated(searchers, round + 1)) {
        context.signal.throwIfAborted();
        await measure(searcher, bench, round < 0 ? null : { search, method, state: "warm", round }, search);
      }
  }
}

function rotated<T>(items: readonly T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}

/** @param as - null where it is not kept */
async function measure(
  searcher: Searcher,
  { lines, values, measured }: Bench,
  as: Pick<Measured, "search" | "method" | "state" | "round"> | null,
  search = as!.search,
): Promise<void> {
  const result = await searcher.search(patternOf(search, Math.floor(lines / values.streams)));
  const other = measured.find((one) => one.lines === lines && one.search === search);
  if (other !== undefined && other.matches !== result.matches)
    throw new Error(`${search}: ${result.matches} lines match, and by ${other.method} ${other.matches}`);
  if (as !== null) measured.push({ lines, ...as, ...result });
}

function openSearcher(method: Method, bench: Bench): Promise<Searcher> {
  switch (method) {
    case "store":
      return openStoreSearcher(bench);
    case "api":
      return openApiSearcher(bench);
    case "rg":
      return Promise.resolve(grepSearcher(bench));
  }
}

async function openStoreSearcher({ postgres, run, values, peakRssMb, context }: Bench): Promise<Searcher> {
  const request: SearchRequest = { databaseUrl: postgres.url, ...run };
  const child: BenchChild<SearchAnswer> = startChild({
    file: "./search-child.ts",
    request,
    profileDirectory: values.profile,
    signal: context.signal,
  });
  let cpuBefore: number | null = null;
  return {
    async search({ text, kind, ignoreCase }) {
      const filter: LogFilter = { include: [{ kind, text }], exclude: [], ignoreCase, levels: null };
      const postgresBefore = await treeCpuSeconds(postgres.pid);
      child.send({ filter } satisfies SearchQuestion);
      const { milliseconds, matches, complete, use } = await child.receive();
      if (!complete) throw new Error("a search was cut short");
      peakRssMb.store = Math.max(peakRssMb.store, use.peakRssMb);
      const cpuSeconds = use.cpuSeconds - (cpuBefore ?? 0);
      cpuBefore = use.cpuSeconds;
      return {
        milliseconds,
        matches,
        cpuSeconds,
        postgresCpuSeconds: (await treeCpuSeconds(postgres.pid)) - postgresBefore,
      };
    },
    async [Symbol.asyncDispose]() {
      child.send({ filter: null } satisfies SearchQuestion);
      await child.ended();
    },
  };
}

async function openApiSearcher({ postgres, sandbox, run, peakRssMb, context }: Bench): Promise<Searcher> {
  const server = await spawnServer("start", { ...sandbox.env, DATABASE_URL: postgres.url, TAILRACE_AUTH: "none" });
  return {
    async search({ text, kind, ignoreCase }) {
      const list = kind === "substring" ? { include: [text] } : { includeRegex: [text] };
      const before = await useOf(server, postgres);
      const started = performance.now();
      const found = await server.client.logs.search.query({ ...run, ...list, ignoreCase }, { signal: context.signal });
      const milliseconds = performance.now() - started;
      const after = await useOf(server, postgres);
      if (!found.complete) throw new Error("a search was cut short");
      peakRssMb.api = Math.max(peakRssMb.api, after.peakRssMb);
      return {
        milliseconds,
        matches: found.matches,
        cpuSeconds: after.cpuSeconds - before.cpuSeconds,
        postgresCpuSeconds: after.postgresCpuSeconds - before.postgresCpuSeconds,
      };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function useOf({ child }: ServerProcess, { pid }: BenchPostgres) {
  return { ...(await readUse(child.pid!))!, postgresCpuSeconds: await treeCpuSeconds(pid) };
}

function grepSearcher({ grep, rawFile, context }: Bench): Searcher {
  return {
    async search({ text, kind, ignoreCase }) {
      const dialect = kind === "substring" ? ["--fixed-strings"] : grep === "grep" ? ["--extended-regexp"] : [];
      const args = [...dialect, ...(ignoreCase ? ["--ignore-case"] : []), "--count", "-e", text, rawFile];
      let printed = "";
      const output = async (stdout: Readable): Promise<void> => void (printed = await readText(stdout));
      // 1 says that no line matches.
      const { seconds } = await runCommand({ file: grep, args, output, codes: [0, 1] }, context.signal);
      return { milliseconds: seconds * 1000, matches: Number(printed), cpuSeconds: null, postgresCpuSeconds: null };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

interface Summary {
  lines: number;
  search: Search;
  pattern: Pattern;
  matches: number;
  method: Method;
  state: State;
  milliseconds: Spread;
  cpuSeconds: Spread | null;
  postgresCpuSeconds: Spread | null;
}

interface About {
  values: Values;
  raw: { lines: number; bytes: number }[];
  peaks: { lines: number; peakRssMb: PeakRss }[];
  grep: string;
  dropped: boolean;
}

function report(machine: Machine, about: About, measured: readonly Measured[]): BenchReport {
  const { values, raw, peaks, grep, dropped } = about;
  const summaries = values.lines.flatMap((lines) =>
    values.searches.flatMap((search) =>
      METHODS.flatMap((method) =>
        STATES.flatMap((state) => summarize(measured, { lines, search, method, state }, values.streams)),
      ),
    ),
  );
  const of = (lines: number, search: Search, method: Method, state: State): Summary | undefined =>
    summaries.find(
      (one) => one.lines === lines && one.search === search && one.method === method && one.state === state,
    );
  const rows = values.lines.flatMap((lines) =>
    values.searches.map((search) => {
      const warm = of(lines, search, "api", "warm");
      const ms = (method: Method, state: State): string =>
        digits(of(lines, search, method, state)?.milliseconds.median, 0);
      const { text, kind, ignoreCase } = patternOf(search, Math.floor(lines / values.streams));
      return [
        `${kind}${ignoreCase ? ", any case" : ""}: "${text}"`,
        whole(lines),
        whole(warm?.matches),
        ...METHODS.flatMap((method) => [ms(method, "cold"), ms(method, "warm")]),
        digits((warm?.milliseconds.median ?? NaN) / (of(lines, search, "rg", "warm")?.milliseconds.median ?? NaN), 1),
        digits(warm?.cpuSeconds?.median, 2),
        digits(warm?.postgresCpuSeconds?.median, 2),
      ];
    }),
  );
  const heads = ["", "lines", "matches", "store cold ms", "warm", "API cold ms", "warm", `${grep} cold ms`, "warm"];
  const memory = peaks.map(
    ({ lines, peakRssMb }) =>
      `${whole(lines)} lines, ${whole(raw.find((one) => one.lines === lines)?.bytes)} bytes: peak RSS of the server ` +
      `${whole(peakRssMb.api)} MB, of the process with the store alone ${whole(peakRssMb.store)} MB`,
  );
  const text = `${machineText(machine)}
Lines of ${values.streams} streams, medians of ${values.rounds} warm and ${values.cold} cold rounds. Cold: processes and PostgreSQL started anew${
    dropped ? ", files dropped from memory" : "; files could not be dropped from memory"
  }.
${formatTable([...heads, `API × ${grep}`, "server CPU s", "PostgreSQL CPU s"], rows)}
${memory.join("\n")}
`;
  return { figures: { bench: "search", machine, ...about, summaries, measured }, text };
}

function summarize(
  measured: readonly Measured[],
  key: Pick<Measured, "lines" | "search" | "method" | "state">,
  streams: number,
): Summary[] {
  const own = measured.filter(
    (one) =>
      one.lines === key.lines && one.search === key.search && one.method === key.method && one.state === key.state,
  );
  if (own.length === 0) return [];
  const all = (values: (number | null)[]): Spread | null => {
    const numbers = values.filter((value) => value !== null);
    return numbers.length === 0 ? null : spread(numbers);
  };
  return [
    {
      ...key,
      pattern: patternOf(key.search, Math.floor(key.lines / streams)),
      matches: own[0]!.matches,
      milliseconds: spread(own.map(({ milliseconds }) => milliseconds)),
      cpuSeconds: all(own.map(({ cpuSeconds }) => cpuSeconds)),
      postgresCpuSeconds: all(own.map(({ postgresCpuSeconds }) => postgresCpuSeconds)),
    },
  ];
}
