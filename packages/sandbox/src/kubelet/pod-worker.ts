import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LogFile } from "../logs/log-file.ts";
import { deleteObject } from "../store/delete.ts";
import type { Container, Pod } from "../store/kinds.ts";
import type { ObjectStore } from "../store/store.ts";
import { now, timestamp } from "../store/time.ts";
import { containerEnvironment } from "./environment.ts";
import { PodFileSystem } from "./file-system.ts";
import { podStatus, type ContainerStateView, type ContainerView, type PodView } from "./pod-status.ts";
import type { ContainerProcess, Exit } from "./process.ts";
import type { Program } from "./program.ts";
import type { StartContainer } from "./start-container.ts";

/** How long things take in the sandbox, in milliseconds. */
export interface Pace {
  /** Between the steps of a pod that has nothing else to wait for. */
  step: number;
  /** From the end of the last container to the pod's final phase. */
  final: number;
  /** Between two tries to pull an image. */
  imageBackoff: number;
  /** Between two looks at something that is not there yet. */
  retry: number;
}

export interface PodWorkerDependencies {
  store: ObjectStore;
  start: StartContainer;
  /** The directory of all pods' files. */
  directory: string;
  /** The directory of all pods' logs. */
  logDirectory: string;
  imageExists: (image: string) => boolean;
  programs: readonly Program[];
  podIP: string;
  pace: Pace;
}

/** The kubelet's part in one pod: from its admission on the node to its end. */
export class PodWorker {
  readonly logs = new Map<string, LogFile>();
  readonly #deps: PodWorkerDependencies;
  readonly #pod: Pod;
  readonly #files: PodFileSystem;
  readonly #abort = new AbortController();
  readonly #processes = new Map<string, ContainerProcess>();
  readonly #view: PodView;
  #statusSent = false;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(deps: PodWorkerDependencies, pod: Pod) {
    this.#deps = deps;
    this.#pod = pod;
    this.#files = new PodFileSystem(join(deps.directory, pod.metadata.uid));
    const initial = pod.spec.initContainers?.length ? "PodInitializing" : "ContainerCreating";
    const view = ({ name }: { name: string }): ContainerView => ({
      name,
      state: { waiting: { reason: initial } },
      ready: false,
      containerID: undefined,
    });
    this.#view = {
      startTime: now(),
      podIP: undefined,
      initContainers: (pod.spec.initContainers ?? []).map(view),
      containers: pod.spec.containers.map(view),
      final: false,
    };
  }

  /** The pod's. */
  get name(): string {
    return this.#pod.metadata.name;
  }

  /** Whether the kubelet has told the API server of this pod's containers. */
  get hasStatuses(): boolean {
    return this.#statusSent;
  }

  get podIP(): string | undefined {
    return this.#view.podIP;
  }

  process(container: string): ContainerProcess | undefined {
    return this.#processes.get(container);
  }

  /** Runs the pod to its end; rejects only for what the sandbox did wrong. */
  async run(): Promise<void> {
    try {
      await delay(this.#deps.pace.step, undefined, { signal: this.#signal });
      this.#report();
      await this.#mount();
      await this.#runContainers();
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    }
    await this.#finish();
  }

  /** The pod is being deleted: SIGTERM now, SIGKILL after the grace period. */
  terminate(graceSeconds: number): void {
    if (this.#killTimer !== undefined) return;
    this.#abort.abort();
    for (const process of this.#processes.values()) process.terminate();
    this.#killTimer = setTimeout(() => this.kill(), graceSeconds * 1000);
  }

  kill(): void {
    clearTimeout(this.#killTimer);
    this.#abort.abort();
    for (const process of this.#processes.values()) process.kill();
  }

  get #signal(): AbortSignal {
    return this.#abort.signal;
  }

  async #mount(): Promise<void> {
    const { store, pace } = this.#deps;
    const { namespace } = this.#pod.metadata;
    while ((await this.#files.mount(this.#pod, (name) => store.get("configmaps", namespace, name))) !== null) {
      await delay(pace.retry, undefined, { signal: this.#signal });
    }
    this.#view.podIP = this.#deps.podIP;
  }

  async #runContainers(): Promise<void> {
    for (const spec of this.#pod.spec.initContainers ?? []) {
      const exit = await this.#runOne(spec, this.#view.initContainers);
      if (exit.exitCode !== 0 || this.#signal.aborted) return;
    }
    await Promise.all(this.#pod.spec.containers.map((spec) => this.#runOne(spec, this.#view.containers)));
  }

  async #runOne(spec: Container, views: ContainerView[]): Promise<Exit> {
    const view = views.find(({ name }) => name === spec.name)!;
    await this.#pullImage(spec, view);
    const env = await this.#environment(spec, view);
    const program = this.#deps.programs.find((each) => each.matches(this.#pod, spec.name));
    const log = new LogFile(join(this.#logFolder, spec.name, "0.log"), this.#files.root, program?.clock);
    this.logs.set(spec.name, log);
    const process = await this.#deps.start({ pod: this.#pod, spec, env, files: this.#files, output: log, program });
    this.#processes.set(spec.name, process);
    const startedAt = now();
    view.containerID = `containerd://${randomBytes(32).toString("hex")}`;
    this.#set(view, { running: { startedAt } }, spec.readinessProbe === undefined && views === this.#view.containers);
    if (this.#signal.aborted) process.terminate();
    const running = new AbortController();
    const probing = spec.readinessProbe === undefined ? undefined : this.#probe(spec, view, process, running.signal);
    const exit = await process.ended;
    running.abort();
    await probing;
    log.end();
    const reason = exit.exitCode === 0 ? "Completed" : "Error";
    const finishedAt = now();
    view.state = {
      terminated: { exitCode: exit.exitCode, reason, startedAt, finishedAt, containerID: view.containerID },
    };
    view.ready = false;
    if (!this.#signal.aborted) this.#report();
    return exit;
  }

  async #pullImage({ image }: { image: string }, view: ContainerView): Promise<void> {
    const { imageExists, pace } = this.#deps;
    if (imageExists(image)) return;
    const what = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;
    for (;;) {
      await delay(pace.step, undefined, { signal: this.#signal });
      this.#set(view, { waiting: { reason: "ErrImagePull", message: what } }, false);
      await delay(pace.imageBackoff, undefined, { signal: this.#signal });
      this.#set(
        view,
        {
          waiting: { reason: "ImagePullBackOff", message: `Back-off pulling image "${image}": ErrImagePull: ${what}` },
        },
        false,
      );
      await delay(pace.imageBackoff, undefined, { signal: this.#signal });
    }
  }

  async #environment(spec: Container, view: ContainerView): Promise<Record<string, string>> {
    const { store, pace, podIP } = this.#deps;
    const { namespace } = this.#pod.metadata;
    for (;;) {
      const found = containerEnvironment(spec, {
        pod: this.#pod,
        podIP,
        configMap: (name) => store.get("configmaps", namespace, name),
      });
      if ("env" in found) return found.env;
      this.#set(view, { waiting: { reason: "CreateContainerConfigError", message: found.problem } }, false);
      await delay(pace.retry, undefined, { signal: this.#signal });
    }
  }

  /** Ready as soon as the container answers once; it is not asked again. */
  async #probe(spec: Container, view: ContainerView, process: ContainerProcess, signal: AbortSignal): Promise<void> {
    const path: string = spec.readinessProbe?.httpGet?.path ?? "/";
    while (!signal.aborted) {
      const answer = await process
        .request?.({ method: "GET", path, body: "", contentType: undefined })
        .catch(() => undefined);
      if (signal.aborted) return;
      if (answer !== undefined && answer.status < 400) return this.#set(view, view.state, true);
      await delay(50, undefined, { signal }).catch(() => {});
    }
  }

  /** Final phase; a pod that is being deleted then loses its containers, and at last its object. */
  async #finish(): Promise<void> {
    const { store, pace } = this.#deps;
    if (!this.#signal.aborted) await delay(pace.final, undefined, { signal: this.#signal }).catch(() => {});
    this.#view.final = true;
    this.#report();
    clearTimeout(this.#killTimer);
    await this.deleted();
    const { namespace, name, uid } = this.#pod.metadata;
    await Promise.all(Array.from(this.logs.values(), (log) => log.remove()));
    await delay(pace.step);
    const pod = store.get("pods", namespace, name);
    if (pod?.metadata.uid === uid) deleteObject(store, "pods", namespace, name, { gracePeriodSeconds: 0 });
    await rm(this.#logFolder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Resolves once the pod is asked to go. */
  deleted(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#signal.aborted) resolve();
      else this.#signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #set(view: ContainerView, state: ContainerStateView, ready: boolean): void {
    view.state = state;
    view.ready = ready;
    if (!this.#signal.aborted) this.#report();
  }

  #report(): void {
    const { namespace, name, uid } = this.#pod.metadata;
    const { store } = this.#deps;
    if (store.get("pods", namespace, name)?.metadata.uid !== uid) return;
    this.#statusSent = true;
    store.update(
      "pods",
      namespace,
      name,
      (draft) => void (draft.status = podStatus(draft, this.#view, timestamp(new Date()))),
    );
  }

  get #logFolder(): string {
    const { namespace, name, uid } = this.#pod.metadata;
    return join(this.#deps.logDirectory, `${namespace}_${name}_${uid}`);
  }
}
