import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogSource } from "@tailrace/core";
import { eachEntry, NumberedCheck, type GapMark, type NumberedReport } from "../../e2e/support/numbered.ts";
import { ended, untilRun } from "../../e2e/support/runs.ts";
import { openFolder } from "../support/folder.ts";
import { ChaosCluster } from "./cluster.ts";
import { openDatabase, readStored } from "./database.ts";
import type { ClusterReport } from "./messages.ts";
import { playEvent, type Stage } from "./events.ts";
import { judge } from "./judge.ts";
import { chaosLine } from "./lines.ts";
import { planEvents, STREAMS_OF_A_RUN, type EventKind } from "./plan.ts";
import { checkSeals } from "./seals.ts";
import { ChaosServers } from "./servers.ts";

export interface ChaosOptions {
  source: LogSource;
  seed: number;
  /** Of each stream. */
  lines: number;
  /** In all; runs have up to 10 each. */
  streams: number;
  /** A log is rotated about once in so many lines. */
  rotateEvery: number;
  /** How often each kind of event happens. */
  rounds: number;
  kinds: readonly EventKind[];
  /** The folder for what shows how something went wrong; null where that is not kept. */
  keep: string | null;
  signal: AbortSignal;
  /** Tells what is done now. */
  say: (text: string) => void;
}

/** What was done, and what came of it. */
export interface ChaosResult {
  source: LogSource;
  seed: number;
  streams: number;
  /** That were written. */
  lines: number;
  stored: number;
  lost: number;
  unflagged: number;
  doubled: number;
  reordered: number;
  /** Ends of lines that a rotation cut, behind the gap that their beginning is lost in. */
  rests: number;
  /** By reason, and whether lines are certainly missing. */
  gaps: Record<string, number>;
  /** How many lines the gaps stand for. */
  flagged: number;
  rotations: Record<string, number>;
  /** Requests that met a fault, by kind. */
  faults: Record<string, number>;
  events: Record<string, number>;
  /** By source and reason. */
  reopens: Record<string, number>;
  /** Seals by how they were verified. */
  verified: Record<string, number>;
  /** From the start of the runs until everything was sealed. */
  seconds: number;
  linesPerSecond: number;
  /** What is wrong, a line for each; none where all is right. */
  wrong: string[];
}

const LOOK_MS = 100;
const SAY_MS = 5000;

/** When nothing is written or stored for so long, something hangs. */
const STUCK_MS = 120_000;

const SCRIPT = `export const options = { scenarios: { s: { executor: 'constant-vus', vus: 10, duration: '1h' } } };
export default function () {}
`;

/** One run of the bench with one source: cluster, database and servers of its own. @throws Error when something hangs or is broken */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { source, seed, lines, streams, rotateEvery, signal, say } = options;
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await openFolder());
  const [sandbox, postgres, data] = ["sandbox", "postgres", "data"].map((name) => join(folder.path, name));
  for (const path of [sandbox!, postgres!, data!]) await mkdir(path);
  const starting = ChaosCluster.start({ seed, source, lines, streams, rotateEvery, folder: sandbox! });
  // The database may fail first; who waits for the cluster hears of it all the same.
  starting.catch(() => undefined);
  parts.defer(async () => await (await starting)[Symbol.asyncDispose]());
  const database = parts.use(await openDatabase(postgres!, signal));
  const cluster = await starting;
  const env = {
    ...cluster.env,
    DATABASE_URL: database.url,
    TAILRACE_AUTH: "none",
    TAILRACE_DATA_DIR: data!,
    TAILRACE_NODE_LOGS: source === "node" ? "kubelet" : "off",
    TAILRACE_LEASE: "3s",
  };
  const servers = parts.use(await ChaosServers.start(env));
  const stage: Stage = { servers, database, cluster };
  const started = performance.now();
  await using watch = watchProgress(stage, options);
  const runIds = await startRuns(stage, streams);
  const events: Record<string, number> = {};
  const planned = planEvents(seed, { lines: lines * streams, rounds: options.rounds, kinds: options.kinds });
  const allowUntil = (index: number): void =>
    cluster.allow(Math.ceil((planned[index]?.at ?? lines * streams) / streams));
  allowUntil(0);
  for (const [index, event] of planned.entries()) {
    await watch.until(() => cluster.written >= event.at);
    say(`${event.kind} at ${cluster.written.toLocaleString("en-US")} lines`);
    // Meanwhile lines are written, but not those that the next one is to meet.
    allowUntil(index + 1);
    await playEvent(event, stage).catch((error: unknown) => {
      throw new Error(`${event.kind}: ${String(error)}; the servers say:\n${servers.logTail(40)}`, { cause: error });
    });
    events[event.kind] = (events[event.kind] ?? 0) + 1;
  }
  await watch.until(() => cluster.ended === streams);
  await untilSealed(stage, runIds, signal);
  const seconds = (performance.now() - started) / 1000;
  await servers.look();
  await watch[Symbol.asyncDispose]();
  signal.throwIfAborted();

  await cluster.tell("calm");
  say("sealed; reading it back");
  const check = new NumberedCheck(lines, chaosLine);
  const verified: Record<string, number> = {};
  const wrong = [...cluster.failures];
  const { streams: written, faults } = await cluster.report();
  const emptied = new Set(written.filter((stream) => isEmptied(source, stream)).map(({ pod }) => pod));
  for (const runId of runIds) {
    await eachEntry(servers.any.url, runId, (json) => {
      signal.throwIfAborted();
      check.line(json);
    });
    const seals = await checkSeals(servers.any, runId, emptied);
    for (const [how, count] of Object.entries(seals.verified)) verified[how] = (verified[how] ?? 0) + count;
    wrong.push(...seals.wrong);
  }
  const report = check.result();
  wrong.push(...judge(report, written, lines));
  if (wrong.length > 0 && options.keep !== null)
    await keepEvidence(join(options.keep, `${source}-${seed}`), stage, { wrong, holes: report.holes, written });
  const stored = countedOf(report);
  return {
    source,
    seed,
    streams,
    lines: lines * streams,
    ...stored,
    rotations: tally(written.flatMap(({ files }) => files.flatMap(({ rotated }) => rotated ?? []))),
    faults,
    events,
    reopens: servers.reopens,
    verified,
    seconds,
    linesPerSecond: stored.stored / seconds,
    wrong,
  };
}

/** What the servers have logged, what is in the database but for the lines, and what was written. */
async function keepEvidence(folder: string, { servers, database }: Stage, judged: object): Promise<void> {
  await mkdir(folder, { recursive: true });
  await servers.keepLogs(folder);
  const tables: Record<string, unknown> = {};
  for (const table of ["log_streams", "log_gaps"]) tables[table] = await database.query(`select * from ${table}`);
  tables["log_handovers"] = await database.query(
    "select id, stream_id, first_seq, unjoined_at, content from log_handovers",
  );
  tables["log_chunks"] = await database.query(
    `select stream_id, first_seq, lines, first_time, min_time, max_time, prior_time from log_chunks
      order by stream_id, first_seq`,
  );
  await writeFile(join(folder, "judged.json"), JSON.stringify(judged));
  await writeFile(join(folder, "tables.json"), JSON.stringify(tables));
}

/** Whether the log API has nothing to read any more: it knows a log's current file only. */
function isEmptied(source: LogSource, { files, lines }: ClusterReport["streams"][number]): boolean {
  return source === "api" && files.at(-1)?.from === lines;
}

function countedOf(report: NumberedReport) {
  const { lines, lost, unflagged, doubled, reordered, rests, gaps } = report;
  return {
    stored: lines,
    lost,
    unflagged,
    doubled,
    reordered,
    rests,
    gaps: tally(gaps.map(titleOf)),
    flagged: lost - unflagged,
  };
}

function titleOf({ reason, certain }: GapMark): string {
  return certain ? reason : `${reason} (possible)`;
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

async function startRuns({ servers }: Stage, streams: number): Promise<string[]> {
  const { client } = servers.any;
  const ids: string[] = [];
  for (let first = 0; first < streams; first += STREAMS_OF_A_RUN) {
    const id = `chaos-${first / STREAMS_OF_A_RUN}`;
    const parallelism = Math.min(STREAMS_OF_A_RUN, streams - first);
    await client.scenarios.create.mutate({ teamId: "demo", id, name: id, script: SCRIPT });
    ids.push((await client.runs.create.mutate({ teamId: "demo", scenarioId: id, parallelism })).id);
  }
  return ids;
}

async function untilSealed({ servers }: Stage, runIds: readonly string[], signal: AbortSignal): Promise<void> {
  const client = () => {
    signal.throwIfAborted();
    return servers.any.client;
  };
  for (const runId of runIds) {
    const run = await client().runs.get.query({ teamId: "demo", runId });
    const last = await untilRun(client, run, "the end", ended, STUCK_MS);
    if (last.status !== "finished") throw new Error(`run ${runId} has ended with an error: ${last.error}`);
  }
}

interface Watch extends AsyncDisposable {
  /** Waits for a condition. @throws Error when nothing goes on any more */
  until(met: () => boolean): Promise<void>;
}

/** Tells the cluster all along what is stored, and people how far it is. */
function watchProgress({ servers, database, cluster }: Stage, { lines, streams, signal, say }: ChaosOptions): Watch {
  const closed = new AbortController();
  const total = (lines * streams).toLocaleString("en-US");
  let movedAt = performance.now();
  const loop = (async () => {
    let saidAt = performance.now();
    let last = 0;
    while (!closed.signal.aborted) {
      await sleep(LOOK_MS);
      // The database may be away just now.
      const stored = await readStored(database).catch(() => null);
      if (stored !== null) cluster.stored(stored.times);
      if (stored !== null && stored.lines + cluster.written !== last) {
        last = stored.lines + cluster.written;
        movedAt = performance.now();
      }
      if (performance.now() - saidAt < SAY_MS) continue;
      saidAt = performance.now();
      await servers.look();
      const written = cluster.written.toLocaleString("en-US");
      say(`${written} of ${total} lines written, ${stored?.lines.toLocaleString("en-US") ?? "?"} stored`);
    }
  })();
  return {
    async until(met) {
      while (!met()) {
        signal.throwIfAborted();
        if (cluster.isGone) throw new Error("the process of the cluster has ended");
        if (performance.now() - movedAt > STUCK_MS)
          throw new Error(`nothing goes on any more; the servers say:\n${servers.logTail(20)}`);
        await sleep(LOOK_MS);
      }
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      await loop;
    },
  };
}
