import type { RunSummary } from "@tailrace/client";
import { type CommonOptions, type Io, createContext, printJson } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { sanitizeLine } from "../terminal/sanitize.ts";
import type { Style } from "../terminal/style.ts";

export interface ListOptions extends CommonOptions {
  scenario?: string;
  limit?: number;
}

const LIMIT = 20;

/** Prints the newest runs as a table. */
export async function listCommand(io: Io, options: ListOptions): Promise<ExitCode> {
  const { client, team: teamId, screen, styles } = createContext(io, options);
  const { items } = await client.runs.list.query({
    teamId,
    scenarioId: options.scenario,
    limit: options.limit ?? LIMIT,
  });
  if (options.json === true) printJson(io, items);
  else if (items.length === 0) screen.note(`team ${teamId} has no runs`);
  else screen.line(...renderRuns(items, new Date(), io.stdout.columns ?? Infinity, styles.line));
  return EXIT.ok;
}

const HEADINGS = ["RUN", "SCENARIO", "STATUS", "RUNNERS", "AGE", "TIME", "COMMENT"];
const STATUS_COLUMN = 2;

/** A row for each run, in columns; each row has at most `width` characters. */
function renderRuns(runs: readonly RunSummary[], now: Date, width: number, style: Style): string[] {
  const rows = [HEADINGS, ...runs.map((run) => cells(run, now))];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row, index) => {
    const padded = row.map((cell, column) => cell.padEnd(widths[column]!));
    const line = padded.join("  ").trimEnd().slice(0, width);
    if (index === 0) return style.dim(line);
    const start = padded.slice(0, STATUS_COLUMN).join("  ").length + 2;
    const status = row[STATUS_COLUMN]!;
    return (
      line.slice(0, start) +
      colorStatus(line.slice(start, start + status.length), style) +
      line.slice(start + status.length)
    );
  });
}

function cells(run: RunSummary, now: Date): string[] {
  const started = Date.parse(run.createdAt);
  const end = run.finishedAt === null ? now.getTime() : Date.parse(run.finishedAt);
  return [
    run.id,
    run.scenarioId,
    run.verdict ?? run.status,
    String(run.parallelism),
    formatDuration(now.getTime() - started),
    formatDuration(end - started),
    sanitizeLine((run.comment ?? "").replaceAll("\n", " "), false),
  ];
}

function colorStatus(status: string, style: Style): string {
  if (status === "finished" || status === "passed") return style.green(status);
  if (status === "pending" || status === "running" || status === "stopping") return style.cyan(status);
  return style.red(status);
}
