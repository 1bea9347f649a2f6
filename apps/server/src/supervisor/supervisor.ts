import type { ClusterView, StepRecord, Store } from "@tailrace/core";
import type { Logger } from "pino";
import { backoffMs } from "./backoff.ts";
import { keepContact, takeOverUntil, type Contact } from "./contact.ts";
import { Waker } from "./waker.ts";
import { StepWorker, type WorkerDeps } from "./worker.ts";

export interface SupervisorDeps extends Omit<WorkerDeps, "store" | "blindSince" | "onWrite"> {
  store: Store;
  /** Names this process among those on the database. */
  holder: string;
  leaseMs: number;
  onWrite: () => void;
  onActive: (steps: number) => void;
  /** Told of each step that is taken over from another holder. */
  onLeaseMoved: () => void;
}

/** How many steps one claim takes at most. */
const CLAIM_LIMIT = 100;

/** How often free steps are looked for, beside the announcements. */
const CLAIM_INTERVAL_MS = 1000;

/** Takes steps under leases, keeps the leases, and runs one worker for each step held. */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #workers = new Map<string, StepWorker>();
  /** The workers by the name of their TestRun, which is how the watch speaks of them. */
  readonly #byTestRun = new Map<string, StepWorker>();
  readonly #claim = new Waker();
  readonly #renew = new Waker();
  readonly #loops: Promise<void>[];
  readonly #unsubscribe: (() => void)[];
  #contact: Contact | null = null;
  #blindSince: number | null = null;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#log = deps.log;
    this.#watchProblem(deps.view);
    this.#unsubscribe = [
      deps.store.onStepAnnounced((stepId) => (this.#workers.has(stepId) ? this.#renew : this.#claim).wake()),
      deps.view.onChange((testRunName) => this.#onViewChange(testRunName)),
    ];
    this.#loops = [
      this.#repeat(this.#claim, Math.min(CLAIM_INTERVAL_MS, deps.leaseMs / 3), "claim steps", () => this.#claimSteps()),
      this.#repeat(this.#renew, deps.leaseMs / 3, "renew leases", () => this.#renewLeases()),
    ];
  }

  /** Stops every worker and gives the leases back, so that another server goes on at once. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort();
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.stop();
    await Promise.all([...this.#loops, ...workers.map((worker) => worker.done)]);
    await this.#deps.store.releaseLeases(this.#deps.holder).catch((error: unknown) => {
      this.#log.warn({ err: error }, "could not give the leases back; they run out by themselves");
    });
  }

  async #repeat(waker: Waker, intervalMs: number, what: string, task: () => Promise<void>): Promise<void> {
    let failures = 0;
    while (!this.#abort.signal.aborted) {
      try {
        await task();
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#log.warn({ err: error, failures }, `could not ${what}, trying again`);
      }
      await waker.sleep(
        failures === 0 ? intervalMs : Math.min(intervalMs, backoffMs(failures, Math.random())),
        this.#abort.signal,
      );
    }
  }

  async #claimSteps(): Promise<void> {
    const { store, cluster, holder, leaseMs } = this.#deps;
    this.#contact = keepContact(this.#contact, (await store.clock()).getTime(), leaseMs);
    const asked = performance.now();
    const steps = await store.claimSteps({
      holder,
      namespace: cluster.namespace,
      ttlMs: leaseMs,
      limit: CLAIM_LIMIT,
      except: [...this.#workers.keys()],
      takeOverUntil: takeOverUntil(this.#contact, leaseMs),
    });
    for (const step of steps) this.#start(step, asked + leaseMs);
    if (steps.length === CLAIM_LIMIT) this.#claim.wake();
  }

  #start(step: StepRecord, leaseUntil: number): void {
    if (this.#abort.signal.aborted) return;
    if (step.fence > 1) this.#deps.onLeaseMoved();
    const deps: WorkerDeps = { ...this.#deps, blindSince: () => this.#blindSince };
    const worker = new StepWorker(deps, step, leaseUntil);
    this.#workers.set(step.id, worker);
    this.#byTestRun.set(step.config.name, worker);
    this.#deps.onActive(this.#workers.size);
    void worker.done.then(() => this.#forget(step, worker));
  }

  #forget(step: StepRecord, worker: StepWorker): void {
    if (this.#workers.get(step.id) === worker) this.#workers.delete(step.id);
    if (this.#byTestRun.get(step.config.name) === worker) this.#byTestRun.delete(step.config.name);
    this.#deps.onActive(this.#workers.size);
  }

  async #renewLeases(): Promise<void> {
    if (this.#workers.size === 0) return;
    const { store, holder, leaseMs } = this.#deps;
    const known = [...this.#workers];
    const asked = performance.now();
    const held = new Map(
      (await store.renewLeases({ holder, ids: known.map(([id]) => id), ttlMs: leaseMs })).map((lease) => [
        lease.id,
        lease,
      ]),
    );
    for (const [id, worker] of known) {
      const lease = held.get(id);
      if (lease === undefined) worker.stop();
      else worker.renewed(asked + leaseMs, lease.stopRequestedAt);
    }
  }

  #onViewChange(testRunName: string | null): void {
    if (testRunName !== null) {
      this.#byTestRun.get(testRunName)?.wake();
      return;
    }
    this.#watchProblem(this.#deps.view);
    for (const worker of this.#workers.values()) worker.wake();
  }

  #watchProblem({ problem, synced }: ClusterView): void {
    if (problem === null) {
      if (this.#blindSince !== null) this.#log.info("the watch on the cluster is connected");
      this.#blindSince = null;
    } else if (this.#blindSince === null) {
      this.#log[synced ? "warn" : "info"]({ problem }, "the watch on the cluster is not connected, trying");
      this.#blindSince = Date.now();
    }
  }
}
