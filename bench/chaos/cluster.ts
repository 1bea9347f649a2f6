import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ClusterCommand, ClusterMessage, ClusterOrder, ClusterReport } from "./messages.ts";

const CHILD = fileURLToPath(new URL("./cluster-child.ts", import.meta.url));

/** No answer takes longer. */
const ANSWER_MS = 60_000;

type Answer<Kind extends ClusterMessage["kind"]> = Extract<ClusterMessage, { kind: Kind }>;

/** The cluster, which is in a process of its own. */
export class ChaosCluster implements AsyncDisposable {
  /** What went wrong in it that was not planned. */
  readonly failures: string[] = [];
  /** Lines that were written so far, of all streams. */
  written = 0;
  /** Containers that have ended. */
  ended = 0;
  /** True once its process has ended. */
  isGone = false;
  #env: Record<string, string> = {};
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Set<{ take: (message: ClusterMessage) => void; fail: (error: Error) => void }>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "exit").then(() => {
      this.isGone = true;
      for (const { fail } of this.#waiting) fail(new Error("the process of the cluster has ended"));
    });
    child.on("message", (message: ClusterMessage) => this.#receive(message));
  }

  static async start(order: ClusterOrder): Promise<ChaosCluster> {
    const cluster = new ChaosCluster(fork(CHILD, [JSON.stringify(order)], { execArgv: ["--conditions=source"] }));
    try {
      cluster.#env = (await cluster.#answer("ready")).env;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** How a server finds it, through the proxy. */
  get env(): Record<string, string> {
    return this.#env;
  }

  /** Resolves when it is done. */
  async tell(kind: Exclude<ClusterCommand["kind"], "stored" | "allow" | "report">): Promise<void> {
    const done = this.#answer("done");
    this.#send({ kind });
    await done;
  }

  /** @param times - the greatest time of any stored line, in nanoseconds, by stream */
  stored(times: Record<number, string>): void {
    this.#send({ kind: "stored", times });
  }

  /** @param lines - that each stream may write in all, until more are allowed */
  allow(lines: number): void {
    this.#send({ kind: "allow", lines });
  }

  async report(): Promise<ClusterReport> {
    const answer = this.#answer("report");
    this.#send({ kind: "report" });
    return (await answer).report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGTERM");
    await this.#exited;
  }

  #send(command: ClusterCommand): void {
    if (this.#child.connected) this.#child.send(command);
  }

  #receive(message: ClusterMessage): void {
    if (message.kind === "progress") ({ written: this.written, ended: this.ended } = message);
    else if (message.kind === "failed") this.failures.push(message.message);
    else for (const { take } of this.#waiting) take(message);
  }

  #answer<Kind extends ClusterMessage["kind"]>(kind: Kind): Promise<Answer<Kind>> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
      };
      const waiter = {
        take: (message: ClusterMessage): void => {
          if (message.kind !== kind) return;
          settle();
          resolve(message as Answer<Kind>);
        },
        fail: (error: Error): void => {
          settle();
          reject(error);
        },
      };
      const timer = setTimeout(() => waiter.fail(new Error(`the cluster gave no answer of ${kind}`)), ANSWER_MS);
      this.#waiting.add(waiter);
    });
  }
}
