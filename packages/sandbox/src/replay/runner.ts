import { setTimeout as delay } from "node:timers/promises";
import type { ContainerProcess, Exit, Output } from "../kubelet/process.ts";
import { answerStatus } from "../kubelet/status-api.ts";
import { LABEL, logLine } from "./lines.ts";
import { jsonSummary, textSummary } from "./summary.ts";

export interface ReplayRunner {
  /** Milliseconds of the run as its log shows them. */
  duration: number;
  /** Of this runner. */
  vus: number;
  /** Of this runner; undefined for as many as fit. */
  iterations: number | undefined;
  /** Appended to the label: what this replay does otherwise than asked. */
  note: string;
  name: string;
  index: number;
  paused: boolean;
  env: Readonly<Record<string, string>>;
  /** Divides all waiting. */
  speed: number;
}

const ITERATION_MS = 1000;

/** `k6 run` as a recorded run showed it: paused, a line per iteration, a summary, k6's exit codes for the ways to stop it. */
export function startReplayRunner(run: ReplayRunner, output: Output): ContainerProcess {
  const status = {
    status: 4,
    paused: run.paused,
    vus: 0,
    "vus-max": run.vus,
    stopped: false,
    running: false,
    tainted: false,
  };
  const go = new AbortController();
  const stop = new AbortController();
  let outcome: { exitCode: number; why: string | undefined; summary: boolean } = {
    exitCode: 0,
    why: undefined,
    summary: true,
  };
  const say = (level: "info" | "warning" | "error", message: string, source?: string): void =>
    output.write("stderr", Buffer.from(logLine(run.env.K6_LOG_FORMAT, level, message, source)));
  const end = (exitCode: number, why: string | undefined, summary: boolean): void => {
    if (stop.signal.aborted) return;
    outcome = { exitCode, why, summary };
    stop.abort();
    go.abort();
  };

  const play = async (): Promise<Exit> => {
    say("warning", `${LABEL}: ${run.name}, runner ${run.index}, ${run.vus} VUs${run.note}`);
    if (status.paused) await aborted(go.signal);
    const started = performance.now();
    Object.assign(status, { status: 7, running: true, vus: run.vus });
    const iterations = await iterate(run, stop.signal, say);
    Object.assign(status, { status: 8, running: false, vus: 0 });
    const seconds = ((performance.now() - started) / 1000) * run.speed;
    if (outcome.why !== undefined && outcome.exitCode === 103) say("error", outcome.why);
    if (outcome.summary) summarise(run, { iterations, seconds, vus: run.vus }, output);
    if (outcome.why !== undefined && outcome.exitCode !== 103) say("error", outcome.why);
    output.endStream("stdout");
    output.endStream("stderr");
    return { exitCode: outcome.exitCode };
  };

  return {
    ended: play(),
    terminate: () => end(105, "test run was aborted because k6 received a 'terminated' signal", true),
    kill: () => end(137, undefined, false),
    request: async (request) => {
      if (stop.signal.aborted) throw new Error("connect: connection refused");
      return answerStatus(
        request,
        status,
        () => go.abort(),
        () => end(103, "test run stopped from REST API", true),
      );
    },
  };
}

/** @returns how many iterations came to their end */
async function iterate(
  run: ReplayRunner,
  signal: AbortSignal,
  say: (level: "info", message: string, source: string) => void,
): Promise<number> {
  let done = 0;
  for (let elapsed = 0; elapsed < run.duration && !signal.aborted; elapsed += ITERATION_MS) {
    const wait = Math.min(ITERATION_MS, run.duration - elapsed) / run.speed;
    if (!(await delay(wait, true, { signal }).catch(() => false))) return done;
    for (let vu = 1; vu <= run.vus && done < (run.iterations ?? Infinity); vu++) {
      say("info", `iteration ${Math.floor(elapsed / ITERATION_MS)} of VU ${vu}: status 200`, "console");
      done++;
    }
    if (done >= (run.iterations ?? Infinity)) break;
  }
  return done;
}

function summarise(
  run: ReplayRunner,
  counts: { iterations: number; seconds: number; vus: number },
  output: Output,
): void {
  output.write("stdout", Buffer.from(textSummary(counts)));
  const target = run.env.K6_SUMMARY_EXPORT;
  if (target === "stderr" || target === "stdout") output.write(target, Buffer.from(jsonSummary(counts)));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
