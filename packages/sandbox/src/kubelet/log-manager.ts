import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createGzip } from "node:zlib";
import type { LogFile } from "../logs/log-file.ts";
import { compressedNames, planRotation, rotatedName } from "../logs/rotation.ts";

export interface LogManagerOptions {
  /** The logs of the containers that run. */
  running: () => LogFile[];
  /** A log of this size is rotated; a negative number is never reached. */
  maxBytes: number;
  /** Files of one container, the current one included; 2 at least. */
  maxFiles: number;
  monitorMs: number;
  failed: (what: string, error: unknown) => void;
}

/** From the renaming to the runtime's new file, in milliseconds: meanwhile there is no current file, and the old one grows. */
const REOPEN_MS = 2;

/** Rotates the logs of running containers, one after the other (kubelet, pkg/kubelet/logs/container_log_manager.go). */
export class LogManager {
  readonly #options: LogManagerOptions;
  readonly #timer: NodeJS.Timeout;
  /** The second in the name of each log's newest rotated file. */
  readonly #seconds = new WeakMap<LogFile, number>();
  #worker: Promise<void> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(options: LogManagerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), options.monitorMs);
    this.#timer.unref();
  }

  /** Rotates these logs now, whatever their sizes; resolves when it is done. A log whose container has ended stays. */
  async rotate(logs: readonly LogFile[]): Promise<void> {
    await Promise.all(logs.map((log) => this.#enqueue(log, (last, now) => Math.max(last + 1, now))));
  }

  /** Resolves when no file is touched any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed = true;
    await this.#worker;
  }

  #look(): void {
    const { maxBytes, running } = this.#options;
    if (maxBytes < 0 || this.#waiting > 0) return;
    for (const log of running()) {
      if (log.size < maxBytes) continue;
      // A second of its own for each name; where it is taken, the next look comes soon enough.
      void this.#enqueue(log, (last, now) => (now > last ? now : null));
    }
  }

  #enqueue(log: LogFile, choose: (last: number, now: number) => number | null): Promise<void> {
    this.#waiting++;
    this.#worker = this.#worker.then(async () => {
      const second = choose(this.#seconds.get(log) ?? 0, Math.floor(Date.now() / 1000));
      try {
        if (!this.#closed && !log.ended && second !== null) await this.#rotate(log, second);
      } catch (error) {
        if (!log.removed) this.#options.failed(`the rotation of ${basename(dirname(log.path))}`, error);
      }
      this.#waiting--;
    });
    return this.#worker;
  }

  async #rotate(log: LogFile, second: number): Promise<void> {
    const folder = dirname(log.path);
    const current = basename(log.path);
    const { remove, compress } = planRotation(current, await readdir(folder), this.#options.maxFiles);
    for (const name of remove) await rm(join(folder, name));
    for (const name of compress) await compressFile(join(folder, name));
    const rotated = join(folder, rotatedName(current, second));
    await rename(log.path, rotated);
    this.#seconds.set(log, second);
    await delay(REOPEN_MS);
    if (!log.reopen()) await rename(rotated, log.path);
  }
}

async function compressFile(path: string): Promise<void> {
  const { temporary, compressed } = compressedNames(path);
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary));
  await rename(temporary, compressed);
  await rm(path);
}
