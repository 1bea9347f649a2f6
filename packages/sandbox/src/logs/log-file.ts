import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { formatRecord, preciseNow, RecordSplitter, type StreamName } from "./cri.ts";

/** The log file of one container instance on the sandbox's node, in the runtime's own format. */
export class LogFile {
  readonly path: string;
  readonly #descriptor: number;
  readonly #splitters: Record<StreamName, RecordSplitter> = {
    stdout: new RecordSplitter(),
    stderr: new RecordSplitter(),
  };
  readonly #hide: Buffer;
  readonly #clock: () => string;
  readonly #waiting = new Set<() => void>();
  #size = 0;
  #ended = false;
  #removed = false;

  /**
   * @param hide - a path that is taken out of every record: where the container's root lies on this machine
   * @param clock - the time of a record, with nine fraction digits
   */
  constructor(path: string, hide: string, clock: () => string = preciseNow) {
    this.#clock = clock;
    this.path = path;
    this.#hide = Buffer.from(hide);
    mkdirSync(dirname(path), { recursive: true });
    this.#descriptor = openSync(path, "w");
  }

  /** Bytes in the file. */
  get size(): number {
    return this.#size;
  }

  /** True when the container has ended and everything is written. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True when the runtime has taken the file away. */
  get removed(): boolean {
    return this.#removed;
  }

  write(stream: StreamName, chunk: Buffer): void {
    this.#append(stream, this.#splitters[stream].push(chunk));
  }

  /** One stream has ended; the other may go on. */
  endStream(stream: StreamName): void {
    this.#append(stream, this.#splitters[stream].end());
  }

  end(): void {
    if (this.#ended) return;
    this.endStream("stdout");
    this.endStream("stderr");
    this.#ended = true;
    closeSync(this.#descriptor);
    this.#wake();
  }

  /** Takes the file away; a reader that has it open keeps its bytes. */
  async remove(): Promise<void> {
    this.end();
    this.#removed = true;
    await rm(this.path, { force: true });
  }

  /** Resolves at the next change, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }

  #append(stream: StreamName, records: { partial: boolean; content: Buffer }[]): void {
    if (records.length === 0 || this.#ended) return;
    const bytes = Buffer.concat(
      records.map((record) =>
        formatRecord(this.#clock(), stream, { ...record, content: this.#hidden(record.content) }),
      ),
    );
    writeSync(this.#descriptor, bytes);
    this.#size += bytes.length;
    this.#wake();
  }

  #hidden(content: Buffer): Buffer {
    if (!content.includes(this.#hide)) return content;
    return Buffer.from(content.toString("latin1").replaceAll(this.#hide.toString("latin1"), ""), "latin1");
  }

  #wake(): void {
    for (const done of Array.from(this.#waiting)) done();
  }
}
