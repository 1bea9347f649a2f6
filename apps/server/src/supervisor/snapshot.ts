import {
  formatContainerLogs,
  initializerLines,
  mergeSections,
  parseContainerLogs,
  readInitializerReport,
  testRunContainers,
  type ContainerRef,
  type ContainerSection,
  type PodObject,
  type ReadContainer,
} from "@tailrace/core";

/** Reads containers' logs; never rejects for one container. */
export type ReadLogs = (refs: readonly ContainerRef[], signal: AbortSignal) => Promise<ReadContainer[]>;

/** The snapshot of one step as it grows: what was read, and what is kept of containers that are gone. */
export class Snapshot {
  readonly #testRunName: string;
  readonly #read: ReadLogs;
  #sections: ContainerSection[];
  /** Containers whose log was read whole after they had ended: it does not change any more. */
  readonly #settled = new Map<string, ReadContainer>();

  constructor(testRunName: string, stored: string | null, read: ReadLogs) {
    this.#testRunName = testRunName;
    this.#sections = stored === null ? [] : parseContainerLogs(stored);
    this.#read = read;
  }

  get sections(): readonly ContainerSection[] {
    return this.#sections;
  }

  /** The text to store; null as long as no container was seen. */
  get text(): string | null {
    return this.#sections.length === 0 ? null : formatContainerLogs(this.#sections);
  }

  get totalDurationMs(): number | null {
    return readInitializerReport(initializerLines(this.#testRunName, this.#sections))?.totalDurationMs ?? null;
  }

  /**
   * Reads every container that may have changed, or, for the last time, every one.
   *
   * @returns the reads of this time; those that failed for a passing reason have kind `retry`
   */
  async refresh(pods: readonly PodObject[], last: boolean, signal: AbortSignal): Promise<ReadContainer[]> {
    const refs = testRunContainers(this.#testRunName, pods);
    const due = refs.filter((ref) => last || !this.#settled.has(keyOf(ref)));
    const reads = await this.#read(due, signal);
    for (const read of reads) {
      const settled =
        read.ref.state.phase === "terminated" && read.read.kind === "log" && read.read.diagnostic === null;
      if (settled) this.#settled.set(keyOf(read.ref), read);
    }
    const fresh = new Map(reads.map((read) => [keyOf(read.ref), read]));
    const all = refs.flatMap((ref) => fresh.get(keyOf(ref)) ?? this.#settled.get(keyOf(ref)) ?? []);
    this.#sections = mergeSections(this.#testRunName, this.#sections, all);
    return reads;
  }
}

function keyOf(ref: ContainerRef): string {
  return `${ref.pod}/${ref.container}#${ref.restart}`;
}
