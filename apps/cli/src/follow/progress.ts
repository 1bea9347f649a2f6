import type { Run } from "@tailrace/client";
import { formatElapsed } from "../duration.ts";
import type { Style } from "../terminal/style.ts";

/** What the progress line says. */
export interface Progress {
  /** The stage while the run goes on; `stopping`, `pending` and the like otherwise. */
  stage: string;
  elapsedMs: number;
  /** How many runners have said something. */
  runners: number;
  parallelism: number;
  lines: number;
  /** Why the shown state may be old, or what Ctrl-C does. */
  hint: string;
}

/** Where a run stands, in one word. */
export function stageOf(run: Run): string {
  if (run.status !== "running" && run.status !== "pending") return run.status;
  return run.steps.at(-1)?.stage ?? run.status;
}

/** One line of at most `columns` characters: the hint goes first where the space is short. */
export function renderProgress(progress: Progress, columns: number, style: Style): string {
  const { stage, runners, parallelism, lines } = progress;
  const facts = `${formatElapsed(progress.elapsedMs)}  runners ${runners}/${parallelism}  ${count(lines)}`;
  const plain = `● ${stage}  ${facts}`;
  if (plain.length > columns) return plain.slice(0, Math.max(0, columns));
  const hint = progress.hint !== "" && plain.length + 3 + progress.hint.length <= columns ? `   ${progress.hint}` : "";
  return `${style.cyan("●")} ${style.bold(stage)}  ${facts}${style.dim(hint)}`;
}

/** `1 line`, `1,204 lines`. */
export function count(lines: number): string {
  return `${lines.toLocaleString("en-US")} line${lines === 1 ? "" : "s"}`;
}
