import {
  closing,
  isEnded,
  isTailraceError,
  jobNameOf,
  missingPods,
  noteImageFailures,
  oneLine,
  planWrite,
  reconcile,
  roleOfJob,
  runningRunners,
  statusChanged,
  testRunContainers,
  type Action,
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
import type { CollectedStep, StepCollector } from "../collector/step-collector.ts";
import { act, describeFailure, type ActionResult } from "./actions.ts";
import { backoffMs } from "./backoff.ts";
import { Snapshot, type SnapshotSource } from "./snapshot.ts";
import { Waker } from "./waker.ts";

export interface WorkerDeps {
  store: Pick<StepStore, "writeStep">;
  cluster: Cluster;
  view: ClusterView;
  /** Since when the watch is broken, in milliseconds since the epoch; null while it is not. */
  blindSince: () => number | null;
  runner: RunnerSettings;
  deadlines: Deadlines;
  /** How often a snapshot is written for its content alone. */
  snapshotIntervalMs: number;
  cleanupAfterMs: number | null;
  snapshots: SnapshotSource;
  collect: (step: CollectedStep, onLost: () => void) => StepCollector;
  log: Logger;
  onWrite: () => void;
}

/** No request to the cluster that changes something may outlive this. */
const ACTION_TIMEOUT_MS = 5000;

/** The answer to a creation overtakes the watch; for this long a TestRun that the watch does not show is not missed. */
const WATCH_LAG_MS = 5000;

/** How often it is looked whether the logs of a step that ends are read. */
const CLOSING_MS = 200;

/** How often the API is asked for a TestRun whose deadline has passed. */
const CONFIRM_TRIES = 6;

/** A stop that k6 did not follow is repeated after this. */
const STOP_REPEAT_MS = 10_000;

interface ClosingState {
  decision: Decision;
  /** Milliseconds since the epoch. */
  since: number;
  progress: number;
  progressAt: number;
  /** The TestRun's deletion was asked for. */
  deleted: boolean;
}

/** Supervises one step for as long as its lease is held: decides, acts, reads logs, writes. One tick at a time. */
export class StepWorker {
  readonly #deps: WorkerDeps;
  readonly #log: Logger;
  readonly #waker = new Waker();
  readonly #abort = new AbortController();
  readonly #snapshot: Snapshot;
  #collector: StepCollector | null = null;
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
  #snapshotAt = -Infinity;
  /** Set while the step is to end and its logs are being read. */
  #closing: ClosingState | null = null;
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
    this.#snapshot = new Snapshot(step.config.name, deps.snapshots);
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
    await this.#follow();
    await this.#collector?.close();
  }

  async #follow(): Promise<void> {
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
    this.#collect();
    const now = Date.now();
    const stopping = this.#closing?.decision.ending?.stopping === true;
    const decision = stopping ? this.#closing!.decision : this.#decide(now);
    if (decision.ending !== null) return this.#end(decision, now);
    this.#closing = null;
    const acted = await this.#act(decision.action, now);
    if (acted === "decide_again") return 0;
    const next = this.#decide(Date.now());
    if (next.ending !== null) return 0;
    await this.#sync(next, Date.now(), this.#snapshotDue(next, now));
    if (acted === "failed") return backoffMs(this.#failedActions, Math.random());
    return Math.max(1, Math.min(this.#deps.snapshotIntervalMs, (next.wakeAt ?? Infinity) - Date.now()));
  }

  /** Shows the collector the pods as they are now. What can't be seen is not gone. */
  #collect(): void {
    const { view, collect } = this.#deps;
    const { id, config, fence, testRunUid } = this.#step;
    if (testRunUid === null || !view.synced) return;
    this.#collector ??= collect({ id, name: config.name, testRunUid, fence }, () => this.stop());
    this.#collector.observe(view.observe(config.name));
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
      failure: this.#failure ?? this.#watchFailure(),
      blindSince,
      sections: this.#snapshot.sections,
      now,
      deadlines,
    };
  }

  /** A TestRun is made, or looked for, without the watch. */
  #watchFailure(): string | null {
    const { view, blindSince } = this.#deps;
    if (blindSince() === null || this.#step.testRunUid === null) return null;
    return `watching the cluster: ${oneLine(view.problem ?? "not listed yet")}`;
  }

  async #act(action: Action | null, now: number): Promise<"decide_again" | "nothing" | "failed"> {
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

  #snapshotDue(decision: Decision, now: number): boolean {
    if (this.#collector === null) return false;
    if (this.#step.containerLogsHash === null || decision.stage !== this.#step.stage) return true;
    return now - this.#snapshotAt >= this.#deps.snapshotIntervalMs;
  }

  async #sync(decision: Decision, now: number, withSnapshot: boolean): Promise<void> {
    const due = withSnapshot || (this.#collector !== null && statusChanged(this.#step, decision));
    if (due) await this.#refreshSnapshot();
    await this.#store(decision, now, due);
  }

  async #refreshSnapshot(): Promise<void> {
    const { pods } = this.#deps.view.observe(this.#step.config.name);
    await this.#snapshot.refresh(pods, this.#collector?.tasks ?? []);
    this.#snapshotAt = Date.now();
  }

  async #store(decision: Decision, now: number, withLogs: boolean): Promise<void> {
    const { cleanupAfterMs } = this.#deps;
    const cleanup = decision.ending?.stopping === true ? 0 : cleanupAfterMs;
    const patch = planWrite(
      this.#step,
      this.#withFailure(decision),
      {
        containerLogs: withLogs ? this.#snapshot.content : null,
        totalDurationMs: this.#snapshot.totalDurationMs ?? this.#step.totalDurationMs,
        deleteAt: cleanup === null ? null : new Date(now + cleanup),
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

  /** The step ends when its logs are read to their end; until then it is looked after further. */
  async #end(decision: Decision, now: number): Promise<number> {
    if (decision.ending!.deleteNow && this.#step.testRunUid !== null && !(await this.#confirmTestRun())) return 0;
    const closingNow = (this.#closing ??= { decision, since: now, progress: -1, progressAt: now, deleted: false });
    if (this.#step.testRunUid !== null && !(await this.#logsAreRead(closingNow, now))) return CLOSING_MS;
    await this.#refreshSnapshot();
    // The reason may be in what was just read: the initializer's last line, for one. A deletion stays one.
    const again = this.#decide(now);
    const final = closingNow.decision.ending!.stopping || again.ending === null ? closingNow.decision : again;
    await this.#store(final, now, true);
    this.#log.info({ status: final.status, stage: final.stage, error: this.#step.error }, "the step ended");
    return 0;
  }

  async #logsAreRead(state: ClosingState, now: number): Promise<boolean> {
    const collector = this.#collector;
    const ending = state.decision.ending!;
    const { config } = this.#step;
    const { pods } = this.#deps.view.observe(config.name);
    if (ending.stopping) await this.#stopWhatRuns(state, pods, now);
    const progress = collector?.progress ?? 0;
    if (progress !== state.progress) Object.assign(state, { progress, progressAt: now });
    const phases = testRunContainers(config.name, pods).map(({ state: { phase } }) => phase);
    const next = closing({
      ending,
      now,
      since: state.since,
      progressAt: state.progressAt,
      settled: collector?.settled ?? true,
      running: phases.filter((phase) => phase === "running").length,
      waiting: phases.filter((phase) => phase === "waiting").length,
      missing: this.#missing(state.decision.stage, pods),
      blindSince: this.#deps.blindSince(),
    });
    if (next.kind === "cut") collector?.finish(next.which, next.reason);
    if (next.kind !== "done" && now - this.#snapshotAt >= this.#deps.snapshotIntervalMs) {
      const error = ending.status === "error" ? `${state.decision.error ?? ""}; its logs are read to their end` : null;
      await this.#sync({ ...state.decision, status: this.#step.status, error, ending: null }, now, true);
    }
    return next.kind === "done";
  }

  /** Until the pods have been listed, nothing is known of any. */
  #missing(stage: string | null, pods: Observation["pods"]): number {
    if (this.#collector === null) return 1;
    const { name, parallelism = 1 } = this.#step.config;
    const begun = this.#collector.tasks.map(({ observed }) => observed.instance);
    const seen = pods.map((pod) => ({ pod: pod.metadata.name, role: roleOfJob(name, jobNameOf(pod)).role }));
    return missingPods(stage, parallelism, [...begun, ...seen]);
  }

  /** Runners are asked to stop; a TestRun that must go is deleted, and what keeps it until its logs are read is ours. */
  async #stopWhatRuns(state: ClosingState, pods: Observation["pods"], now: number): Promise<void> {
    const running = runningRunners(this.#step.config.name, pods);
    if (running.length > 0) await this.#act({ kind: "stop_runners", pods: running }, now);
    if (!state.decision.ending!.deleteNow || state.deleted || this.#deps.blindSince() !== null) return;
    state.deleted = (await this.#act({ kind: "delete_test_run" }, now)) !== "failed";
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
