import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { METRICS_TOKEN, readMetric, sumOf } from "../../e2e/support/metrics.ts";
import { spawnServer, type ServerProcess } from "../../e2e/support/server.ts";

const REOPENS = "tailrace_log_reopens_total";

/** The servers on one database: one, and a second one where it is to take over. */
export class ChaosServers implements AsyncDisposable {
  readonly #env: Record<string, string>;
  readonly #running = new Set<ServerProcess>();
  readonly #all: ServerProcess[] = [];
  /** The reopens that each server that ever ran has told of, by the metric's labels. */
  readonly #reopens = new Map<ServerProcess, Map<string, number>>();

  private constructor(env: Record<string, string>) {
    this.#env = { ...env, TAILRACE_METRICS_TOKEN: METRICS_TOKEN };
  }

  static async start(env: Record<string, string>): Promise<ChaosServers> {
    const servers = new ChaosServers(env);
    await servers.#add();
    return servers;
  }

  /** One of those that run. */
  get any(): ServerProcess {
    const [server] = this.#running;
    if (server === undefined) throw new Error("no server runs now");
    return server;
  }

  /** How many steps those that run say that they have. */
  async heldSteps(): Promise<number> {
    return (await this.#loads()).reduce((sum, { steps }) => sum + steps, 0);
  }

  /** Starts another one where there is one only. */
  async ensureSecond(): Promise<void> {
    if (this.#running.size < 2) await this.#add();
  }

  /** Ends them all, and starts one with the same data. */
  async restart(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await Promise.all(Array.from(this.#running, (server) => this.#end(server, signal)));
    await this.#add();
  }

  /** Ends the one that has the most steps; another one is there. */
  async endHolder(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const loads = await this.#loads();
    await this.#end(loads.reduce((most, load) => (load.steps > most.steps ? load : most)).server, signal);
  }

  /** Reads what the servers count; what a killed one counted behind the last look is not seen. */
  async look(): Promise<void> {
    await Promise.all(
      Array.from(this.#running, async (server) => {
        const counts = await readMetric(server, REOPENS).catch(() => null);
        // One that is just being ended does not answer.
        if (counts !== null) this.#reopens.set(server, counts);
      }),
    );
  }

  /** How often a log was asked for again, by source and reason. */
  get reopens(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const counts of this.#reopens.values())
      for (const [labels, count] of counts) {
        const [source = "", reason = ""] = Array.from(labels.matchAll(/"([^"]*)"/g), ([, value]) => value!);
        sums[`${source} ${reason}`] = (sums[`${source} ${reason}`] ?? 0) + count;
      }
    return sums;
  }

  /** The last lines that the newest servers have logged, those that have ended included. */
  logTail(lines: number): string {
    return this.#all
      .slice(-2)
      .map((server) => {
        const { pid, exitCode, signalCode } = server.child;
        const state = this.#running.has(server) ? "runs" : `has ended with ${signalCode ?? exitCode}`;
        return `server ${pid} ${state}:\n${server.output().trimEnd().split("\n").slice(-lines).join("\n")}`;
      })
      .join("\n");
  }

  /** Writes what each server has logged into a file of its own. */
  async keepLogs(folder: string): Promise<void> {
    for (const [index, server] of this.#all.entries())
      await writeFile(join(folder, `server-${index}-${server.child.pid}.log`), server.output());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#running, (server) => this.#end(server, "SIGTERM")));
  }

  #loads(): Promise<{ server: ServerProcess; steps: number }[]> {
    return Promise.all(
      Array.from(this.#running, async (server) => ({ server, steps: await sumOf(server, "tailrace_active_steps") })),
    );
  }

  async #add(): Promise<void> {
    const server = await spawnServer("start", this.#env);
    this.#running.add(server);
    this.#all.push(server);
  }

  async #end(server: ServerProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#running.delete(server);
    await (signal === "SIGKILL" ? server.sigkill() : server.sigterm());
  }
}
