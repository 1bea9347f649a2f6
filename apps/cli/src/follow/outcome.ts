import type { Run } from "@tailrace/client";
import { formatDuration } from "../duration.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { sanitizeLine } from "../terminal/sanitize.ts";
import type { Style } from "../terminal/style.ts";

/** How following a run came to its end. */
export interface Outcome {
  /** The run as it was seen last. */
  run: Run;
  /** False when it goes on without being followed. */
  ended: boolean;
  /** What asked for its end: Ctrl-C or `--timeout`; null when nothing here did. */
  stoppedBy: "interrupt" | "timeout" | null;
}

export function exitCodeOf({ run, ended, stoppedBy }: Outcome): ExitCode {
  if (stoppedBy === "interrupt") return EXIT.interrupted;
  if (stoppedBy === "timeout") return EXIT.timeout;
  if (!ended) return EXIT.interrupted;
  const passed = run.status === "finished" && (run.verdict === null || run.verdict === "passed");
  return passed ? EXIT.ok : EXIT.failed;
}

/** What is said at the end: how it ended, why, and where its logs are. */
export function renderOutcome(outcome: Outcome, lines: string, url: string, style: Style): string[] {
  const { run } = outcome;
  const rows: [string, string][] = [
    ["run", run.id],
    ["stage", [...new Set(run.steps.map((step) => step.stage ?? "none"))].join(", ")],
    ["time", timeOf(run)],
    ["shown", lines],
    ["logs", `tailrace logs ${run.id}`],
    ["", `${url}/api/dashboard/load-testing/teams/${run.teamId}/test-runs/${run.id}/logs`],
  ];
  const error = run.error ?? run.steps.find((step) => step.error !== null)?.error ?? null;
  if (error !== null) rows.splice(1, 0, ["error", style.red(sanitizeLine(error, false))]);
  return ["", headline(outcome, style), ...rows.map(([name, value]) => `  ${style.dim(name.padEnd(6))} ${value}`)];
}

function headline(outcome: Outcome, style: Style): string {
  const { run, ended } = outcome;
  const asked =
    outcome.stoppedBy === "timeout" ? " after --timeout" : run.stopRequestedAt === null ? "" : " after a stop";
  if (!ended) return style.yellow(`● ${style.bold(run.status)}: the run goes on without being followed`);
  if (run.status === "error") return style.red(`✗ ${style.bold("error")}${asked}`);
  const verdict = run.verdict === null ? "" : `, verdict ${run.verdict}`;
  const text = `${style.bold("finished")}${asked}${verdict}`;
  return exitCodeOf(outcome) === EXIT.ok ? style.green(`✓ ${text}`) : style.yellow(`■ ${text}`);
}

function timeOf(run: Run): string {
  const between = (from: string, to: string | null): string =>
    formatDuration((to === null ? Date.now() : Date.parse(to)) - Date.parse(from));
  const whole = between(run.createdAt, run.finishedAt);
  return run.startedAt === null ? whole : `${whole}, the runners ${between(run.startedAt, run.finishedAt)}`;
}
