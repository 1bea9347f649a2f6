import {
  isEnded,
  isTailraceError,
  noteImageFailures,
  oneLine,
  planWrite,
  reconcile,
  statusChanged,
  type Cluster,
  type ClusterView,
  type Deadlines,
  type ImageFailures,
  type Decision,
  type Knowledge,
  type Observation,
  type RunnerSettings,
  type StepRecord,
  type StepStore,
} from "@tailrace/core";
import type { Logger } from "pino";
import { act, describeFailure, type ActionResult } from "./actions.ts";
import { backoffMs } from "./backoff.ts";
import { ReadWarnings } from "./read-warnings.ts";
import { Snapshot, type ReadLogs } from "./snapshot.ts";
import { Waker } from "./waker.ts";

export interface WorkerDeps {
  store: Pick<StepStore, "writeStep">;
  cluster: Cluster;
  view: ClusterView;
  /** Since when the watch is broken, in milliseconds since the epoch; null while it is not. */
  blindSince: () => number | null;
  runner: RunnerSettings;
  deadlines: Deadlines;
  logIntervalMs: number;
  cleanupAfterMs: number | null;
  readLogs: ReadLogs;
  log: Logger;
  onWrite: () => void;
}

/** No request to the cluster that changes something may outlive this. */
const ACTION_TIMEOUT_MS = 5000;

/** The answer to a creation overtakes the watch; for this long a TestRun that the watch does not show is not missed. */
const WATCH_LAG_MS = 5000;

/** How often the last reading is repeated while containers fail for a passing reason. */
const LAST_READ_TRIES = 6;

/** How often the API is asked for a TestRun whose deadline has passed. */
const CONFIRM_TRIES = 6;

/** A stop that k6 did not follow is repeated after this. */
const STOP_REPEAT_MS = 10_000;

/** Supervises one step for as long as its lease is held: decides, acts, reads logs, writes. One tick at a time. */
export class StepWorker {
  readonly #deps: WorkerDeps;
  readonly #log: Logger;
  readonly #waker = new Waker();
  readonly #abort = new AbortController();
  readonly #snapshot: Snapshot;
  readonly #warnings: ReadWarnings;
  #step: StepRecord;
  #leaseUntil: number;
  #failure: string | null = null;
  #failedActions = 0;
  #failedTicks = 0;
  /** Why the last tick was not completed; shown by the first write that succeeds. */
  #unsaved: string | null = null;
  #absent = false;
  #foundAt = -Infinity;
  #unstoredUid: string | null = null;
  #imageFailures: ImageFailures = new Map();
  #lastReadAt = -Infinity;
  #lastReadTries = 0;
  #confirmTries = 0;
  #stopSentAt = -Infinity;
  /** The TestRun as the API itself gave it, where the watch's may be old. */
  #confirmed: Observation["testRun"] | undefined;

  /** Settles when the step has ended or was given up; never rejects. */
  readonly done: Promise<void>;

  constructor(deps: WorkerDeps, step: StepRecord, leaseUntil: number) {
    this.#deps = deps;
    this.#step = step;
    this.#leaseUntil = leaseUntil;
    this.#log = deps.log.child({ runId: step.runId, testRun: step.config.name });
    this.#snapshot = new Snapshot(step.config.name, step.containerLogs, deps.readLogs);
    this.#warnings = new ReadWarnings(this.#log);
    this.done = this.#loop();
  }

  /** Something about the step may have changed. */
  wake(): void {
    this.#confirmed = undefined;
    this.#waker.wake();
  }

  /** The lease was prolonged; others may have asked for a stop meanwhile. */
  renewed(leaseUntil: number, stopRequestedAt: Date | null): void {
    this.#leaseUntil = leaseUntil;
    if (stopRequestedAt === null || this.#step.stopRequestedAt !== null) return;
    this.#step = { ...this.#step, stopRequestedAt };
    this.wake();
  }

  /** Lets go of the step; what is under way is cut off. */
  stop(): void {
    this.#abort.abort();
  }

  async #loop(): Promise<void> {
    while (!this.#abort.signal.aborted && !isEnded(this.#step.status)) {
      let pauseMs: number;
      try {
        pauseMs = await this.#tick();
        this.#failedTicks = 0;
        this.#unsaved = null;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        this.#failedTicks += 1;
        this.#unsaved = isTailraceError(error, "UNAVAILABLE") ? "the database is unavailable" : "internal error";
        pauseMs = backoffMs(this.#failedTicks, Math.random());
        this.#log.warn({ err: error, failures: this.#failedTicks }, "could not supervise the step, trying again");
      }
      if (pauseMs > 0) await this.#waker.sleep(pauseMs, this.#abort.signal);
    }
  }

  /** @returns the milliseconds until the next tick unless something happens before; 0 for at once. */
  async #tick(): Promise<number> {
    await this.#storeUid();
    const now = Date.now();
    const decision = this.#decide(now);
    if (decision.ending !== null) return this.#end(decision, now);
    const acted = await this.#act(decision, now);
    if (acted === "decide_again") return 0;
    const next = this.#decide(Date.now());
    if (next.ending !== null) return 0;
    await this.#sync(next, Date.now(), this.#logsDue(next, now));
    if (acted === "failed") return backoffMs(this.#failedActions, Math.random());
    return Math.max(1, Math.min(this.#deps.logIntervalMs, (next.wakeAt ?? Infinity) - Date.now()));
  }

  #decide(now: number): Decision {
    return reconcile(this.#knowledge(now));
  }

  #knowledge(now: number): Knowledge {
    const { view, deadlines } = this.#deps;
    const watched = view.observe(this.#step.config.name);
    const observation = this.#confirmed === undefined ? watched : { ...watched, testRun: this.#confirmed };
    const blindSince = this.#deps.blindSince();
    this.#imageFailures = noteImageFailures(this.#imageFailures, watched.pods, now);
    return {
      imageFailures: this.#imageFailures,
      step: this.#step,
      observation,
      synced: view.synced && now - this.#foundAt >= WATCH_LAG_MS,
      absent: this.#absent,
      failure:
        this.#failure ??
        (blindSince === null ? null : `watching the cluster: ${oneLine(view.problem ?? "not listed yet")}`),
      blindSince,
      sections: this.#snapshot.sections,
      now,
      deadlines,
    };
  }

  async #act({ action }: Decision, now: number): Promise<"decide_again" | "nothing" | "failed"> {
    if (action === null) {
      this.#failure = null;
      return "nothing";
    }
    if (action.kind === "stop_runners" && now - this.#stopSentAt < STOP_REPEAT_MS) return "nothing";
    const lease = this.#leaseUntil - performance.now();
    if (lease <= 0) return "nothing";
    const signal = AbortSignal.any([
      this.#abort.signal,
      AbortSignal.timeout(Math.ceil(Math.min(lease, ACTION_TIMEOUT_MS))),
    ]);
    let result: ActionResult;
    try {
      result = await act(action, this.#step, this.#deps, signal);
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      this.#failedActions += 1;
      this.#failure = describeFailure(action, error);
      this.#log.warn(
        { err: error, action: action.kind, failures: this.#failedActions },
        "an action in the cluster failed",
      );
      return "failed";
    }
    this.#failure = null;
    this.#failedActions = 0;
    this.#log.info({ action: action.kind, result: result.kind }, "acted");
    if (action.kind === "stop_runners") this.#stopSentAt = now;
    if (result.kind === "done") return "nothing";
    if (result.kind === "absent") this.#absent = true;
    else await this.#recordTestRun(result.uid);
    return "decide_again";
  }

  async #recordTestRun(uid: string): Promise<void> {
    this.#foundAt = Date.now();
    this.#unstoredUid = uid;
    await this.#storeUid();
  }

  /** Until the UID is stored nothing else is done: a TestRun that was made must never be made again. */
  async #storeUid(): Promise<void> {
    if (this.#unstoredUid === null) return;
    await this.#write({ testRunUid: this.#unstoredUid, status: "running" });
    this.#unstoredUid = null;
  }

  #logsDue(decision: Decision, now: number): boolean {
    if (this.#step.testRunUid === null || this.#deps.blindSince() !== null) return false;
    if (this.#step.containerLogs === null || decision.stage !== this.#step.stage) return true;
    return now - this.#lastReadAt >= this.#deps.logIntervalMs;
  }

  async #sync(decision: Decision, now: number, readLogs: boolean): Promise<void> {
    if (readLogs) await this.#readLogs(false);
    await this.#store(decision, now, readLogs);
  }

  async #readLogs(last: boolean): Promise<boolean> {
    const { pods } = this.#deps.view.observe(this.#step.config.name);
    const reads = await this.#snapshot.refresh(pods, last, this.#abort.signal);
    this.#lastReadAt = Date.now();
    this.#warnings.note(reads);
    return reads.every(({ read }) => read.kind !== "retry");
  }

  async #store(decision: Decision, now: number, withLogs: boolean): Promise<void> {
    const { cleanupAfterMs } = this.#deps;
    const cleanup = decision.ending?.deleteNow === true ? 0 : cleanupAfterMs;
    const patch = planWrite(
      this.#step,
      this.#withFailure(decision),
      {
        containerLogs: withLogs || statusChanged(this.#step, decision) ? this.#snapshot.text : null,
        totalDurationMs: this.#snapshot.totalDurationMs ?? this.#step.totalDurationMs,
        cleanupAt: cleanup === null ? null : new Date(now + cleanup),
      },
      now,
    );
    if (patch !== null) await this.#write(patch);
  }

  /** A failure that could not be written when it happened is shown by the next write, until the one after that. */
  #withFailure(decision: Decision): Decision {
    if (this.#unsaved === null || decision.ending !== null || decision.error !== null) return decision;
    return { ...decision, error: `following the run: ${this.#unsaved}; retrying` };
  }

  async #end(decision: Decision, now: number): Promise<number> {
    if (decision.ending!.deleteNow && this.#step.testRunUid !== null && !(await this.#confirmTestRun())) return 0;
    const unreachable = decision.ending!.deleteNow && this.#deps.blindSince() !== null;
    const whole = unreachable || (await this.#readLogs(true));
    this.#lastReadTries += 1;
    if (!whole && this.#lastReadTries < LAST_READ_TRIES) return backoffMs(this.#lastReadTries, Math.random());
    // The reason may be in what was just read: the initializer's last line, for one.
    const final = this.#decide(now);
    await this.#store(final.ending === null ? decision : final, now, true);
    this.#log.info({ status: decision.status, stage: decision.stage, error: this.#step.error }, "the step ended");
    return 0;
  }

  /**
   * Before a deadline ends a run, the API itself is asked: the watch may be late. An API that does not answer that
   * either is asked a bounded number of times.
   *
   * @returns false when the decision is to be made again
   */
  async #confirmTestRun(): Promise<boolean> {
    if (this.#confirmed !== undefined || this.#deps.blindSince() !== null) return true;
    this.#confirmTries += 1;
    if (this.#confirmTries > CONFIRM_TRIES) return true;
    this.#confirmed = await this.#deps.cluster.getTestRun(this.#step.config.name, this.#abort.signal);
    return false;
  }

  async #write(patch: Parameters<StepStore["writeStep"]>[2]): Promise<void> {
    const written = await this.#deps.store.writeStep(this.#step.id, this.#step.fence, patch);
    this.#deps.onWrite();
    if (written === null) {
      this.#log.info("another server has taken the step");
      this.stop();
      return;
    }
    this.#step = written;
  }
}
