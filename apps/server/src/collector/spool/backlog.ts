import type { CommitOutcome, StreamCommit } from "@tailrace/core";
import type { Submission, Waiting } from "../waiting-queue.ts";
import type { DiskQueue } from "./disk-queue.ts";

/** Who waits for a record on the disk; `settled` once they are told otherwise than by its being stored from there. */
export type Spooled = Pick<Submission, "readAt" | "done"> & { settled: boolean };

export type BacklogQueue = Pick<DiskQueue, "bytes" | "empty" | "push" | "peek">;

/** The oldest records of a backlog. */
export interface BacklogHead {
  /** How many there are. */
  length: number;
  /** Those that nobody has settled, with who waits for each. */
  open: { commit: StreamCommit; record: Spooled }[];
  /** Takes them off the disk. */
  drop: () => Promise<void>;
}

/** What waits on the disk, and who waits for it, in the order in which it came. */
export class Backlog {
  readonly #queue: BacklogQueue;
  readonly #records: Spooled[] = [];

  constructor(queue: BacklogQueue) {
    this.#queue = queue;
  }

  get bytes(): number {
    return this.#queue.bytes;
  }

  /** True when nothing is on the disk, though something may be on its way there. */
  get empty(): boolean {
    return this.#queue.empty;
  }

  /** How many records there are, those included that are being written. */
  get length(): number {
    return this.#records.length;
  }

  /** Writes one down; until that has failed it counts. */
  async push({ commit, stored, readAt, done }: Waiting): Promise<Spooled> {
    const record = { readAt, done, settled: false };
    this.#records.push(record);
    try {
      await this.#queue.push({ ...commit, chunks: await stored });
    } catch (error) {
      this.#records.pop();
      throw error;
    }
    return record;
  }

  /**
   * The oldest records, which stay until they are dropped; null when there is none. Who waits for a damaged one is told
   * that it is lost.
   */
  async peek(most: { commits: number; bytes: number }): Promise<BacklogHead | null> {
    const next = await this.#queue.peek(most);
    if (next === null) return null;
    for (const record of this.#records.splice(0, next.damaged)) settle(record, "lost");
    const { commits } = next;
    return {
      length: commits.length,
      open: commits.flatMap((commit, index) => {
        const record = this.#records[index]!;
        return record.settled ? [] : { commit, record };
      }),
      drop: async () => {
        this.#records.splice(0, commits.length);
        await next.drop();
      },
    };
  }
}

/** Tells who waits, unless it was told. */
export function settle(record: Spooled, outcome: CommitOutcome): void {
  if (record.settled) return;
  record.settled = true;
  record.done(outcome);
}
