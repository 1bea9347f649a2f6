import {
  instanceKey,
  nodeOf,
  observedInstances,
  ownedPods,
  type ContainerInstance,
  type Observation,
  type ObservedInstance,
  type PodObject,
} from "@tailrace/core";
import { backoffMs } from "../supervisor/backoff.ts";
import { Waker } from "../supervisor/waker.ts";
import type { StreamDeps } from "./stream-deps.ts";
import { StreamTask } from "./stream-task.ts";

export interface CollectedStep {
  id: string;
  /** The name of the TestRun. */
  name: string;
  testRunUid: string;
  fence: number;
}

/** How long a reading may need to put what it has read on its way when it is stopped. */
const CLOSE_MS = 1000;

/** Follows every container of one step's pods, from the moment it begins. */
export class StepCollector {
  readonly #deps: StreamDeps;
  readonly #step: CollectedStep;
  readonly #abort = new AbortController();
  readonly #waker = new Waker();
  readonly #tasks = new Map<string, StreamTask>();
  readonly #loaded: Promise<void>;
  readonly #onClosed: () => void;
  #closed: Promise<void> | undefined;
  /** Null until the cluster has been seen. */
  #pods: readonly PodObject[] | null = null;
  #isLoaded = false;
  #finished: string | null = null;

  constructor(deps: StreamDeps, step: CollectedStep, onClosed: () => void) {
    this.#deps = deps;
    this.#step = step;
    this.#onClosed = onClosed;
    this.#loaded = this.#load();
  }

  /** Every stream that is followed or was, in no order. */
  get tasks(): StreamTask[] {
    return [...this.#tasks.values()];
  }

  /** True when every container that has begun is sealed. */
  get settled(): boolean {
    return this.#isLoaded && this.tasks.every(({ sealed }) => sealed);
  }

  /** Grows as long as anything is read or stored. */
  get progress(): number {
    return this.tasks.reduce((sum, { readSeq, storedSeq, sealed }) => sum + readSeq + storedSeq + (sealed ? 1 : 0), 0);
  }

  /**
   * Takes the step's pods as the cluster shows them now. Only pods that the step's own TestRun owns, through a Job, are
   * ever read, and those whose streams were begun when that could be seen.
   */
  observe({ jobs, pods }: Observation): void {
    const { name, testRunUid } = this.#step;
    const begun = new Set(this.tasks.map(({ observed }) => observed.instance.podUid));
    const owned = new Set(ownedPods(testRunUid, jobs, pods));
    this.#pods = pods.filter((pod) => owned.has(pod) || begun.has(pod.metadata.uid));
    for (const observed of this.#pods.flatMap((pod) => observedInstances(name, pod))) {
      const key = instanceKey(observed.instance);
      const task = this.#tasks.get(key);
      if (task === undefined) this.#start(key, observed);
      else task.update(observed);
    }
    this.#noteOthers();
  }

  /** Seals streams with what there is: nobody waits for them any longer. */
  finish(which: "running" | "all", reason: string): void {
    if (which === "all") this.#finished = reason;
    for (const task of this.#tasks.values())
      if (which === "all" || task.observed.state.phase === "running") task.finish(reason);
  }

  /** Stops reading, and waits a little for what was read to be stored; the rest is on the disk then. Idempotent. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    for (const task of this.#tasks.values()) task.stop();
    const patience = new AbortController();
    const ended = Promise.all([this.#loaded, ...this.tasks.map((task) => task.settled(patience.signal))]);
    await Promise.race([ended, new Waker().sleep(CLOSE_MS, patience.signal)]);
    patience.abort();
    this.#onClosed();
  }

  #start(key: string, observed: ObservedInstance): StreamTask | null {
    if (this.#abort.signal.aborted) return null;
    const task = new StreamTask(this.#deps, this.#step, observed);
    this.#tasks.set(key, task);
    if (this.#finished !== null) task.finish(this.#finished);
    return task;
  }

  /** Streams that another process began may be of pods that are gone. */
  async #load(): Promise<void> {
    const { signal } = this.#abort;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        for (const { instance } of await this.#deps.store.listStreams(this.#step.id)) this.#adopt(instance);
        this.#isLoaded = true;
        return this.#noteOthers();
      } catch (error) {
        this.#deps.log.warn({ err: error, failures }, "could not list a step's streams, trying again");
        await this.#waker.sleep(backoffMs(failures, Math.random()), signal);
      }
    }
  }

  #adopt(instance: ContainerInstance): void {
    const key = instanceKey(instance);
    if (this.#tasks.has(key)) return;
    this.#start(key, { instance, state: { phase: "terminated", startedAt: null }, node: null, previous: false });
  }

  /** Streams of pods that are gone, and of instances before the one that the pod speaks of. */
  #noteOthers(): void {
    if (!this.#isLoaded || this.#pods === null) return;
    const pods = new Map(this.#pods.map((pod) => [pod.metadata.uid, pod]));
    for (const task of this.#tasks.values()) {
      const { instance } = task.observed;
      const pod = pods.get(instance.podUid);
      if (pod === undefined) task.podGone();
      else if (
        !observedInstances(this.#step.name, pod).some((it) => instanceKey(it.instance) === instanceKey(instance))
      )
        task.update({
          ...task.observed,
          state: { phase: "terminated", startedAt: null },
          node: nodeOf(pod),
          previous: true,
        });
    }
  }
}
