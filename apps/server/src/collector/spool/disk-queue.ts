import { mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { StreamCommit } from "@tailrace/core";
import { HEADER_BYTES, readBody, readHeader, SpoolRecordError, writeRecord } from "./record.ts";

/** A file is closed, and later removed, in pieces of about this size. */
const SEGMENT_BYTES = 16 * 1024 * 1024;

const SEGMENT = /^(\d{8})\.spool$/;

/** The oldest commits of a queue. */
export interface QueueHead {
  commits: StreamCommit[];
  /** How many before them could not be read; only those that this process has put in are known. */
  damaged: number;
  /** Takes them off the queue. */
  drop: () => Promise<void>;
}

interface Segment {
  number: number;
  bytes: number;
  /** Put in by this process and not taken off yet. */
  records: number;
}

/**
 * A first-in-first-out queue of commits in files. What was written survives the process, though not a crash of the
 * machine: nothing is forced to the disk.
 *
 * A record that can't be read ends its file, which is kept under another name.
 */
export class DiskQueue {
  readonly #directory: string;
  readonly #onDamage: (file: string, error: Error) => void;
  #segments: Segment[] = [];
  #writing: FileHandle | null = null;
  #reading: FileHandle | null = null;
  #readAt = 0;
  #bytes = 0;
  #next = 1;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, onDamage: (file: string, error: Error) => void) {
    this.#directory = directory;
    this.#onDamage = onDamage;
  }

  /** Opens a folder, with what another process may have left in it. */
  static async open(directory: string, onDamage: (file: string, error: Error) => void): Promise<DiskQueue> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const queue = new DiskQueue(directory, onDamage);
    const numbers = (await readdir(directory)).flatMap((name) => SEGMENT.exec(name)?.[1] ?? []).map(Number);
    for (const number of numbers.toSorted((a, b) => a - b)) {
      const file = await open(queue.#path(number), "r");
      const { size } = await file.stat();
      await file.close();
      queue.#segments.push({ number, bytes: size, records: 0 });
      queue.#bytes += size;
      queue.#next = number + 1;
    }
    return queue;
  }

  /** Bytes on the disk that are not read yet, about. */
  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#segments.length === 0;
  }

  /** Appends one commit. */
  push(commit: StreamCommit): Promise<void> {
    return this.#inTurn(() => this.#push(commit));
  }

  /**
   * The oldest commits, which stay until they are dropped; null when there is none. Damaged ones are set aside.
   *
   * @param most - how many, and about how many bytes of them
   */
  peek(most: { commits: number; bytes: number }): Promise<QueueHead | null> {
    return this.#inTurn(() => this.#peek(most));
  }

  /** Closes the files; what is in them stays. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#close());
  }

  /** Removes the queue's files, but those that could not be read. */
  remove(): Promise<void> {
    return this.#inTurn(() => this.#remove());
  }

  /** The files' offsets are shared, so one thing is done after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #push(commit: StreamCommit): Promise<void> {
    const record = writeRecord(commit);
    let segment = this.#segments.at(-1);
    if (this.#writing === null || segment === undefined || segment.bytes >= SEGMENT_BYTES) {
      await this.#writing?.close();
      segment = { number: this.#next++, bytes: 0, records: 0 };
      this.#writing = await open(this.#path(segment.number), "wx", 0o600);
      this.#segments.push(segment);
    }
    for (let at = 0; at < record.length;) {
      const { bytesWritten } = await this.#writing.write(record, at, record.length - at, segment.bytes + at);
      at += bytesWritten;
    }
    segment.bytes += record.length;
    segment.records += 1;
    this.#bytes += record.length;
  }

  async #peek(most: { commits: number; bytes: number }): Promise<QueueHead | null> {
    let damaged = 0;
    for (let segment = this.#segments[0]; segment !== undefined; segment = this.#segments[0]) {
      if (this.#readAt >= segment.bytes) {
        if (!(await this.#leave(segment))) break;
        continue;
      }
      const { commits, end, damage } = await this.#readSome(segment, most);
      const drop = (): Promise<void> => this.#inTurn(() => this.#drop(segment, end, commits.length));
      if (commits.length > 0) return { commits, damaged, drop };
      if (damage === null) continue;
      damaged += segment.records;
      await this.#setAside(segment, damage);
    }
    return damaged === 0 ? null : { commits: [], damaged, drop: () => Promise.resolve() };
  }

  /** Up to a damaged record, the file's end or the limits. */
  async #readSome(
    segment: Segment,
    most: { commits: number; bytes: number },
  ): Promise<{ commits: StreamCommit[]; end: number; damage: SpoolRecordError | null }> {
    const start = this.#readAt;
    const commits: StreamCommit[] = [];
    let end = start;
    try {
      while (end < segment.bytes && commits.length < most.commits && end - start < most.bytes) {
        const record = await this.#read(segment, end);
        commits.push(record.commit);
        end = record.end;
      }
    } catch (error) {
      if (!(error instanceof SpoolRecordError)) throw error;
      return { commits, end, damage: error };
    }
    return { commits, end, damage: null };
  }

  async #close(): Promise<void> {
    await this.#writing?.close();
    await this.#reading?.close();
    this.#writing = null;
    this.#reading = null;
  }

  async #remove(): Promise<void> {
    await this.#close();
    for (const { number } of this.#segments) await rm(this.#path(number), { force: true });
    this.#segments = [];
    this.#bytes = 0;
  }

  async #drop(segment: Segment, end: number, records: number): Promise<void> {
    segment.records -= records;
    this.#bytes -= end - this.#readAt;
    this.#readAt = end;
    if (end >= segment.bytes) await this.#leave(segment);
  }

  /** The file was read to its end. @returns false when it is still written to, and no later one exists */
  async #leave(segment: Segment): Promise<boolean> {
    if (this.#segments.length === 1 && this.#writing !== null) {
      await this.#writing.close();
      this.#writing = null;
    }
    await this.#reading?.close();
    this.#reading = null;
    this.#readAt = 0;
    this.#segments.shift();
    await rm(this.#path(segment.number), { force: true });
    return this.#segments.length > 0;
  }

  async #read(segment: Segment, at: number): Promise<{ commit: StreamCommit; end: number }> {
    this.#reading ??= await open(this.#path(segment.number), "r");
    const header = await readExactly(this.#reading, at, HEADER_BYTES);
    const { bodyBytes, checksum } = readHeader(header);
    const body = await readExactly(this.#reading, at + HEADER_BYTES, bodyBytes);
    return { commit: readBody(body, checksum), end: at + HEADER_BYTES + bodyBytes };
  }

  async #setAside(segment: Segment, error: SpoolRecordError): Promise<void> {
    const kept = `${this.#path(segment.number)}.damaged`;
    await rename(this.#path(segment.number), kept);
    this.#bytes -= segment.bytes - this.#readAt;
    await this.#leave(segment);
    this.#onDamage(kept, error);
  }

  #path(number: number): string {
    return join(this.#directory, `${String(number).padStart(8, "0")}.spool`);
  }
}

async function readExactly(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let read = 0; read < length;) {
    const { bytesRead } = await file.read(bytes, read, length - read, at + read);
    if (bytesRead === 0) throw new SpoolRecordError("the file ends inside a record");
    read += bytesRead;
  }
  return bytes;
}
