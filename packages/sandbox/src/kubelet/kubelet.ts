import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { KubeletView } from "../logs/choose.ts";
import type { LogFile } from "../logs/log-file.ts";
import { LogFormatter } from "../logs/read-rules.ts";
import { parseRecord } from "../logs/cri.ts";
import type { Condition, Pod } from "../store/kinds.ts";
import { now } from "../store/time.ts";
import { LogManager, type LogManagerOptions } from "./log-manager.ts";
import { PodWorker, type PodWorkerDependencies } from "./pod-worker.ts";
import type { RestAnswer, RestRequest } from "./process.ts";
import { NODE, unschedulable } from "./schedule.ts";

export type KubeletDependencies = Omit<PodWorkerDependencies, "podIP"> & {
  rotation: Pick<LogManagerOptions, "maxBytes" | "maxFiles" | "monitorMs">;
  failed: (key: string, error: unknown) => void;
};

/** Whose logs; all where nothing is named. */
export interface LogSelection {
  /** The pod's name. */
  pod?: string;
  container?: string;
}

/** Scheduler and kubelet of the only node. */
export class Kubelet {
  readonly #deps: KubeletDependencies;
  readonly #workers = new Map<string, PodWorker>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #stop: () => void;
  readonly #logManager: LogManager;
  #addresses = 1;

  constructor(deps: KubeletDependencies) {
    this.#deps = deps;
    const { rotation, failed } = deps;
    this.#logManager = new LogManager({ ...rotation, running: () => this.#runningLogs({}), failed });
    this.#stop = deps.store.watch("pods", deps.store.resourceVersion, ({ type, object }) => {
      if (type === "ADDED") this.#track(object.metadata.name, this.#admit(object));
      else if (type === "MODIFIED" && object.metadata.deletionTimestamp !== undefined) {
        this.#workers.get(object.metadata.uid)?.terminate(object.metadata.deletionGracePeriodSeconds ?? 0);
      } else if (type === "DELETED") this.#workers.get(object.metadata.uid)?.kill();
    });
  }

  view(pod: Pod): KubeletView {
    const worker = this.#workers.get(pod.metadata.uid);
    return worker === undefined ? "nothing" : worker.hasStatuses ? "statuses" : "no-statuses";
  }

  log(pod: Pod, container: string): LogFile | undefined {
    return this.#workers.get(pod.metadata.uid)?.logs.get(container);
  }

  /** Where a log file lies on the node, as the kubelet calls it. */
  nodePath(path: string): string {
    return `/var/log/pods/${relative(this.#deps.logDirectory, path)}`;
  }

  /** Rotates the logs of running containers now; resolves when it is done. */
  async rotateLogs(selection: LogSelection): Promise<void> {
    await this.#logManager.rotate(this.#runningLogs(selection));
  }

  /** The current file of a container that has ended, without stamps. */
  async readLog(pod: Pod, container: string): Promise<string> {
    const log = this.log(pod, container);
    if (log === undefined || log.removed) return "";
    const formatter = new LogFormatter({ timestamps: false, since: undefined, limitBytes: undefined });
    const parts: Buffer[] = [];
    const file = await readFile(log.path);
    for (let start = 0, end = file.indexOf("\n"); end !== -1; start = end + 1, end = file.indexOf("\n", start)) {
      parts.push(formatter.push(parseRecord(file.subarray(start, end))));
    }
    return Buffer.concat(parts).toString("utf8");
  }

  /**
   * One request to port 6565 of a pod.
   *
   * @throws Error when nothing answers
   */
  async request(pod: Pod, request: RestRequest): Promise<RestAnswer> {
    const worker = this.#workers.get(pod.metadata.uid);
    for (const { name } of pod.spec.containers) {
      const process = worker?.process(name);
      if (process?.request !== undefined) return await process.request(request);
    }
    throw new Error(`dial tcp ${worker?.podIP ?? "127.0.0.1"}:6565: connect: connection refused`);
  }

  /** Ends all pods' containers; resolves when no worker runs. */
  async close(): Promise<void> {
    this.#stop();
    this.#closing.abort();
    for (const worker of this.#workers.values()) worker.kill();
    await this.#logManager.close();
    await Promise.all(this.#running);
  }

  #runningLogs({ pod, container }: LogSelection): LogFile[] {
    const workers = Array.from(this.#workers.values()).filter((worker) => pod === undefined || worker.name === pod);
    return workers.flatMap(({ logs }) =>
      Array.from(logs)
        .filter(([name, log]) => (container === undefined || name === container) && !log.ended)
        .map(([, log]) => log),
    );
  }

  async #admit(pod: Pod): Promise<void> {
    const { store, pace } = this.#deps;
    const { namespace, name, uid } = pod.metadata;
    await delay(pace.step, undefined, { signal: this.#closing.signal }).catch(() => {});
    if (this.#closing.signal.aborted || store.get("pods", namespace, name)?.metadata.uid !== uid) return;
    const problem = unschedulable(pod);
    const scheduled = store.update("pods", namespace, name, (draft) => {
      if (problem === null) draft.spec.nodeName = NODE.name;
      const { qosClass = "BestEffort" } = draft.status;
      draft.status = { phase: "Pending", conditions: [scheduledCondition(problem, draft)], qosClass };
    });
    if (problem !== null || scheduled.metadata.deletionTimestamp !== undefined) return;
    await delay(pace.step, undefined, { signal: this.#closing.signal }).catch(() => {});
    if (this.#closing.signal.aborted || store.get("pods", namespace, name)?.metadata.uid !== uid) return;
    const worker = new PodWorker({ ...this.#deps, podIP: this.#nextAddress() }, scheduled);
    this.#workers.set(uid, worker);
    const current = store.get("pods", namespace, name)!;
    if (current.metadata.deletionTimestamp !== undefined) worker.terminate(0);
    await worker.run();
    this.#workers.delete(uid);
  }

  #track(name: string, work: Promise<void>): void {
    const guarded = work
      .catch((error: unknown) => this.#deps.failed(name, error))
      .finally(() => this.#running.delete(guarded));
    this.#running.add(guarded);
  }

  #nextAddress(): string {
    const at = ++this.#addresses;
    return `10.88.${(at >> 8) & 255}.${at & 255}`;
  }
}

function scheduledCondition(problem: string | null, pod: Pod): Condition {
  const time = { lastProbeTime: null, lastTransitionTime: now() };
  if (problem === null) return { type: "PodScheduled", status: "True", ...time };
  const why = { reason: "Unschedulable", message: problem, observedGeneration: pod.metadata.generation };
  return { type: "PodScheduled", status: "False", ...time, ...why };
}
