import { type Run, isEnded, isTailraceError } from "@tailrace/client";
import type { Screen } from "../terminal/screen.ts";
import type { Style } from "../terminal/style.ts";
import type { Interrupts } from "./interrupts.ts";
import { labelWidth } from "./label.ts";
import type { Outcome } from "./outcome.ts";
import { type Progress, renderProgress, stageOf } from "./progress.ts";
import { type FollowEvent, type FollowState, readSnapshot } from "./read-snapshot.ts";
import { renderEvent } from "./render.ts";
import { waitFor } from "./wait.ts";

/** The run that is followed, on its server. */
export interface FollowedRun {
  get(signal: AbortSignal): Promise<Run>;
  stop(signal: AbortSignal): Promise<Run>;
}

export interface FollowOptions {
  screen: Screen;
  /** Colours of log lines and of what is said about them, which go to streams of their own. */
  styles: { line: Style; note: Style };
  interrupts: Interrupts;
  /** After so long the run is asked to stop. (Default: never) */
  timeoutMs: number | null;
  wholeReport: boolean;
  /** Between two reads. (Default: 1 s) */
  intervalMs?: number;
}

const INTERVAL_MS = 1000;
/** Without a terminal: a sign of life where nothing else was said for so long. */
const HEARTBEAT_MS = 30_000;
/** How long a server may be unreachable before following ends. */
const PATIENCE_MS = 60_000;
/** How long a run may take to stop after `--timeout`. */
const STOP_GRACE_MS = 120_000;

/** Prints what the run's containers say until it has ended, or following is ended. */
export async function followRun(
  first: Run,
  server: FollowedRun,
  options: FollowOptions,
): Promise<Outcome & { lines: number }> {
  const follower = new Follower(first, server, options);
  return await follower.follow();
}

class Follower {
  #run: Run;
  #texts = new Map<string, string | null>();
  #states = new Map<string, FollowState>();
  #runners = new Set<number>();
  #lines = 0;
  #told = { progress: "", at: 0, error: "" };
  #stopSent = false;
  #unreachableSince: number | null = null;
  readonly #startedAt = performance.now();
  readonly #server: FollowedRun;
  readonly #options: FollowOptions;

  constructor(first: Run, server: FollowedRun, options: FollowOptions) {
    this.#run = first;
    this.#server = server;
    this.#options = options;
  }

  async follow(): Promise<Outcome & { lines: number }> {
    const { interrupts, intervalMs = INTERVAL_MS } = this.#options;
    for (;;) {
      this.#show();
      if (isEnded(this.#run.status) || interrupts.detach.aborted || this.#isGivenUp()) return this.#outcome();
      if (!this.#mustStopNow()) await waitFor(intervalMs, [interrupts.stop, interrupts.detach]);
      await this.#read();
    }
  }

  async #read(): Promise<void> {
    const { detach } = this.#options.interrupts;
    if (detach.aborted) return;
    try {
      if (this.#mustStopNow()) {
        this.#note(this.#stopReason());
        await this.#server.stop(detach);
        this.#stopSent = true;
      }
      this.#run = await this.#server.get(detach);
      if (this.#unreachableSince !== null) this.#note("the server answers again");
      this.#unreachableSince = null;
    } catch (error) {
      if (isTailraceError(error, "ABORTED") && detach.aborted) return;
      if (!isPassing(error)) throw error;
      const now = performance.now();
      if (this.#unreachableSince === null) this.#note(`${error.message}; trying again`);
      this.#unreachableSince ??= now;
      if (now - this.#unreachableSince > PATIENCE_MS) throw error;
      await waitFor(INTERVAL_MS, [detach]);
    }
  }

  #show(): void {
    const { screen, styles, wholeReport } = this.#options;
    for (const step of this.#run.steps) {
      const ended = isEnded(this.#run.status);
      if (this.#texts.get(step.name) === step.containerLogs && !ended) continue;
      this.#texts.set(step.name, step.containerLogs);
      const { parallelism } = this.#run;
      const snapshot = { testRun: step.name, parallelism, text: step.containerLogs ?? "", ended };
      const { state, events } = readSnapshot(this.#states.get(step.name) ?? new Map(), snapshot, { wholeReport });
      this.#states.set(step.name, state);
      for (const event of events) {
        this.#count(event);
        screen.line(...renderEvent(event, labelWidth(parallelism), styles.line));
      }
      if (events.length > 0) this.#told.at = performance.now();
    }
    if (!isEnded(this.#run.status)) this.#showProgress();
  }

  #count(event: FollowEvent): void {
    if (event.kind !== "lines") return;
    this.#lines += event.lines.length;
    if (event.label.role === "runner") this.#runners.add(event.label.runner);
  }

  #showProgress(): void {
    const { screen, styles } = this.#options;
    const error = this.#run.steps.find((step) => step.error !== null)?.error ?? "";
    if (error !== "" && error !== this.#told.error) this.#note(error);
    this.#told.error = error;
    const progress = this.#progress();
    if (screen.hasStatus) return screen.status((columns) => renderProgress(progress, columns, styles.note));
    const silentFor = performance.now() - this.#told.at;
    if (progress.stage === this.#told.progress && silentFor < HEARTBEAT_MS) return;
    this.#told.progress = progress.stage;
    this.#note(renderProgress({ ...progress, hint: "" }, Infinity, styles.note));
  }

  #progress(): Progress {
    const stopping = this.#options.interrupts.stop.aborted;
    return {
      stage: this.#stopSent ? "stopping" : stageOf(this.#run),
      elapsedMs: performance.now() - this.#startedAt,
      runners: this.#runners.size,
      parallelism: this.#run.parallelism,
      lines: this.#lines,
      hint:
        this.#unreachableSince !== null
          ? "server unreachable"
          : stopping
            ? "Ctrl-C leaves it to the server"
            : "Ctrl-C stops the run",
    };
  }

  #note(text: string): void {
    this.#told.at = performance.now();
    this.#options.screen.note(text);
  }

  #isTimedOut(graceMs = 0): boolean {
    const { timeoutMs } = this.#options;
    return timeoutMs !== null && performance.now() - this.#startedAt >= timeoutMs + graceMs;
  }

  #mustStopNow(): boolean {
    return (
      !this.#stopSent &&
      this.#unreachableSince === null &&
      (this.#options.interrupts.stop.aborted || this.#isTimedOut())
    );
  }

  #stopReason(): string {
    return this.#options.interrupts.stop.aborted
      ? "stopping the run; Ctrl-C once more leaves it to the server"
      : "the run takes longer than --timeout; stopping it";
  }

  #isGivenUp(): boolean {
    return this.#isTimedOut(STOP_GRACE_MS);
  }

  #outcome(): Outcome & { lines: number } {
    const { interrupts } = this.#options;
    return {
      run: this.#run,
      ended: isEnded(this.#run.status),
      stoppedBy: interrupts.stop.aborted ? "interrupt" : this.#stopSent ? "timeout" : null,
      lines: this.#lines,
    };
  }
}

/** Failures that a server or a network can recover from. */
function isPassing(error: unknown): error is Error {
  return (["NETWORK", "UNAVAILABLE", "INTERNAL", "BAD_RESPONSE"] as const).some((code) => isTailraceError(error, code));
}
