import { findProcesses, readUse, treeCpuSeconds } from "./processes.ts";

/** CPU seconds by the process's name; only those that run on this machine are there. */
export type CpuSeconds = Readonly<Record<string, number>>;

const CLUSTER = ["kubelet", "kube-apiserver", "containerd"] as const;

/** Counts what PostgreSQL, and the cluster where it is on this machine, take while something is measured. */
export class CpuMeter {
  readonly #postgres: number | null;
  #before: CpuSeconds = {};

  /** @param postgres - pid of the postmaster */
  constructor(postgres: number | null) {
    this.#postgres = postgres;
  }

  async start(): Promise<void> {
    this.#before = await this.#read();
  }

  /** What was taken since {@link start}. */
  async taken(): Promise<CpuSeconds> {
    const before = this.#before;
    const now = await this.#read();
    return Object.fromEntries(Object.entries(now).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));
  }

  async #read(): Promise<CpuSeconds> {
    const seconds: Record<string, number> = {};
    for (const { name, pid } of await findProcesses(CLUSTER))
      seconds[name] = (seconds[name] ?? 0) + ((await readUse(pid))?.cpuSeconds ?? 0);
    if (this.#postgres !== null) seconds["postgres"] = await treeCpuSeconds(this.#postgres);
    return seconds;
  }
}
