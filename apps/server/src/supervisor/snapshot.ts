import { createHash } from "node:crypto";
import {
  containerTitle,
  decodeLogText,
  describeGap,
  formatContainerLogs,
  initializerLines,
  MAX_CONTAINER_BYTES,
  orderSections,
  readInitializerReport,
  testRunContainers,
  waitingSection,
  type ContainerSection,
  type LogReader,
  type LogStore,
  type PodObject,
} from "@tailrace/core";
import type { StreamTask } from "../collector/stream-task.ts";

/** What a snapshot is made from. */
export interface SnapshotSource {
  store: Pick<LogStore, "listGaps"> & Pick<LogReader, "readTail">;
  /** Lines of each container at most. */
  tailLines: number;
}

interface Known {
  /** What the section was made from: it is made anew when this has changed. */
  key: string;
  section: ContainerSection;
}

/** The snapshot of one step as it grows, made from what is stored. */
export class Snapshot {
  readonly #testRunName: string;
  readonly #source: SnapshotSource;
  readonly #known = new Map<StreamTask, Known>();
  /** Containers that never began keep their reason when their pod is gone. */
  readonly #waiting = new Map<string, ContainerSection>();
  #sections: ContainerSection[] = [];

  constructor(testRunName: string, source: SnapshotSource) {
    this.#testRunName = testRunName;
    this.#source = source;
  }

  get sections(): readonly ContainerSection[] {
    return this.#sections;
  }

  /** The text to store, with its SHA-256 in hexadecimal digits; null as long as no container was seen. */
  get content(): { text: string; hash: string } | null {
    if (this.#sections.length === 0) return null;
    const text = formatContainerLogs(this.#sections);
    return { text, hash: createHash("sha256").update(text).digest("hex") };
  }

  get totalDurationMs(): number | null {
    return readInitializerReport(initializerLines(this.#testRunName, this.#sections))?.totalDurationMs ?? null;
  }

  /** Reads the ends of those streams that have changed. */
  async refresh(pods: readonly PodObject[], tasks: readonly StreamTask[]): Promise<void> {
    const begun = await Promise.all(tasks.map((task) => this.#sectionOf(task)));
    for (const ref of testRunContainers(this.#testRunName, pods)) {
      const section = waitingSection(ref);
      if (section !== null) this.#waiting.set(containerTitle(section), section);
    }
    for (const section of begun) this.#waiting.delete(containerTitle(section));
    this.#sections = orderSections(this.#testRunName, pods, [...begun, ...this.#waiting.values()]);
  }

  async #sectionOf(task: StreamTask): Promise<ContainerSection> {
    const { record, problem, storedSeq, sealed } = task;
    const key = `${record?.id ?? ""} ${storedSeq} ${String(sealed)} ${problem ?? ""}`;
    const known = this.#known.get(task);
    if (known?.key === key) return known.section;
    const section = await this.#read(task);
    this.#known.set(task, { key, section });
    return section;
  }

  async #read({ record, problem, observed }: StreamTask): Promise<ContainerSection> {
    const { instance } = observed;
    const title = {
      pod: instance.pod,
      container: instance.named ? instance.container : null,
      restart: instance.restart,
    };
    const empty: ContainerSection = { ...title, state: "log", reason: null, lines: [], gaps: [] };
    const reason = problem ?? record?.seal?.truncated ?? null;
    const state = reason === null ? "log" : "error";
    if (record === null) return { ...empty, state, reason };
    const limits = { lines: this.#source.tailLines, bytes: MAX_CONTAINER_BYTES };
    const [tail, gaps] = await Promise.all([
      this.#source.store.readTail(record, limits),
      this.#source.store.listGaps(record),
    ]);
    const firstSeq = tail.nextSeq - tail.lines.length;
    return {
      ...title,
      state: state === "log" && tail.cutBy === "bytes" ? "truncated" : state,
      reason,
      lines: tail.lines.map(decodeLogText),
      gaps: gaps
        .filter(({ seq }) => seq >= firstSeq)
        .map((gap) => ({ before: gap.seq - firstSeq, text: describeGap(gap) })),
    };
  }
}
