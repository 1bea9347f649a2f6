import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { preciseNow, type Clock } from "./clock.ts";
import { RecordSplitter, type StreamName, type TakeContent } from "./cri.ts";
import { LogWatch } from "./log-watch.ts";
import { RecordBatch } from "./record-batch.ts";

/** A larger batch is written before its chunk is at its end. */
const BATCH_BYTES = 1024 * 1024;

/** The log of one container instance on the sandbox's node, in the runtime's own format. */
export class LogFile {
  /** The file that the container writes to; the rotated ones lie beside it. */
  readonly path: string;
  readonly #hide: Buffer;
  readonly #clock: Clock;
  readonly #batch = new RecordBatch();
  readonly #watches = new Set<LogWatch>();
  readonly #streams: Record<StreamName, { splitter: RecordSplitter; take: TakeContent }>;
  #descriptor: number;
  #size = 0;
  #ended = false;
  #removed = false;
  /** The bytes that were searched for the hidden path, and whether it is in them. */
  #searched: Buffer | undefined;
  #hiding = false;

  /**
   * @param hide - a path that is taken out of every record: where the container's root lies on this machine
   * @param clock - the time of a record
   */
  constructor(path: string, hide: string, clock: Clock = preciseNow) {
    this.path = path;
    this.#hide = Buffer.from(hide);
    this.#clock = clock;
    const stream = (name: StreamName) => ({ splitter: new RecordSplitter(), take: this.#taker(name) });
    this.#streams = { stdout: stream("stdout"), stderr: stream("stderr") };
    mkdirSync(dirname(path), { recursive: true });
    this.#descriptor = openSync(path, "w");
  }

  /** Bytes in the file that the container writes to. */
  get size(): number {
    return this.#size;
  }

  /** True when the container has ended and everything is written. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True when the runtime has taken the files away. */
  get removed(): boolean {
    return this.#removed;
  }

  /**
   * What comes after the end is dropped.
   *
   * @param chunk - may be used again afterwards
   */
  write(stream: StreamName, chunk: Buffer): void {
    if (this.#ended) return;
    const { splitter, take } = this.#streams[stream];
    this.#searched = undefined;
    splitter.push(chunk, take);
    this.#flush();
  }

  /** One stream has ended; the other may go on. */
  endStream(stream: StreamName): void {
    if (this.#ended) return;
    const { splitter, take } = this.#streams[stream];
    splitter.end(take);
    this.#flush();
  }

  end(): void {
    if (this.#ended) return;
    this.endStream("stdout");
    this.endStream("stderr");
    this.#ended = true;
    closeSync(this.#descriptor);
  }

  /**
   * Goes on in a new file under the same path, after the old one was renamed. An unfinished line ends in the old file as
   * a partial record, since the runtime makes new loggers (containerd, `ReopenContainerLog`).
   *
   * @returns false when the container has ended: nothing was done
   */
  reopen(): boolean {
    if (this.#ended) return false;
    const descriptor = openSync(this.path, "a");
    this.endStream("stdout");
    this.endStream("stderr");
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#size = 0;
    this.#tell("created");
    return true;
  }

  /** Takes the files away; a reader that has one open keeps its bytes. */
  async remove(): Promise<void> {
    this.end();
    this.#removed = true;
    await rm(dirname(this.path), { recursive: true, force: true, maxRetries: 3 });
  }

  /** What happens in the folder from now on. */
  watch(): LogWatch {
    const watch = new LogWatch((closed) => this.#watches.delete(closed));
    this.#watches.add(watch);
    return watch;
  }

  #taker(stream: StreamName): TakeContent {
    return (partial, bytes, start, end) => {
      if (bytes !== this.#searched) {
        this.#searched = bytes;
        this.#hiding = bytes.includes(this.#hide);
      }
      if (this.#hiding) {
        const content = this.#hidden(bytes.subarray(start, end));
        this.#batch.add(this.#clock(), stream, partial, content, 0, content.length);
      } else this.#batch.add(this.#clock(), stream, partial, bytes, start, end);
      if (this.#batch.length >= BATCH_BYTES) this.#flush();
    };
  }

  #hidden(content: Buffer): Buffer {
    return Buffer.from(content.toString("latin1").replaceAll(this.#hide.toString("latin1"), ""), "latin1");
  }

  #flush(): void {
    const bytes = this.#batch.take();
    if (bytes.length === 0) return;
    for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
    this.#size += bytes.length;
    this.#tell("changed");
  }

  #tell(event: "changed" | "created"): void {
    for (const watch of this.#watches) watch.push(event);
  }
}
