import { setTimeout as sleep } from "node:timers/promises";
import type { Output } from "@tailrace/sandbox";
import { onStderr, writeNumbered } from "../../e2e/support/numbered.ts";
import { chaosLine } from "./lines.ts";
import type { PlannedRotation, RotationKind } from "./plan.ts";
import type { Stamps } from "./stamps.ts";

/** One file of a container's log, as its writer knows it. */
export interface WrittenFile {
  /** Its lines: from `from` to before `until`. A line that a rotation cut is the first file's. */
  from: number;
  until: number;
  /** How it was rotated away; null for the last one. */
  rotated: RotationKind | null;
  /** Of how many lines it was certain, when the file could be read for the last time, that they were stored; null while it can be. */
  gone: number | null;
}

export interface WriterOptions {
  pod: string;
  lines: number;
  rotations: readonly PlannedRotation[];
  stamps: Stamps;
  /** Rotates the container's log; resolves when that is done. */
  rotate: () => Promise<void>;
  /** After how many further rotations a rotated file is removed; 0 where no rotated file can be read. */
  readableRotations: number;
  /** From one rotation of a burst to the next, in milliseconds. */
  burstMs: number;
  /** How many lines may be written and not stored before the writer slows down. */
  window: number;
  /** How many lines may be written by now; a rotation may take some more. */
  allowed: () => number;
}

const BATCH = 250;

/** A writer that waits for the store still writes a batch so often, for not everything waits in a cluster. */
const TRICKLE_MS = 200;

/** Looks so often whether it may go on. */
const LOOK_MS = 10;

/** How long what is to be stored before a rotation is waited for: a collector is away for less. */
const FOLLOWED_MS = 60_000;

/** Files that a burst makes, and the lines in each. */
const BURST = { files: 6, lines: 400 };

/** Writes one container's lines, has its log rotated, and knows in which file each line is. */
export class Writer {
  readonly files: WrittenFile[] = [{ from: 0, until: 0, rotated: null, gone: null }];
  readonly #options: WriterOptions;
  readonly #output: Output;
  readonly #aborted: AbortSignal;
  readonly #checkpoints: { n: number; time: bigint }[] = [];
  readonly #rotating: Promise<void>[] = [];
  #n = 0;
  #stored = 0;

  constructor(options: WriterOptions, output: Output, aborted: AbortSignal) {
    this.#options = options;
    this.#output = output;
    this.#aborted = aborted;
  }

  get written(): number {
    return this.#n;
  }

  /** So many lines are certainly stored, or lost. */
  get stored(): number {
    return this.#stored;
  }

  /** @param time - the greatest time of any stored line, in nanoseconds since the epoch */
  storedUntil(time: bigint): void {
    while (this.#checkpoints.length > 0 && this.#checkpoints[0]!.time <= time)
      this.#stored = this.#checkpoints.shift()!.n;
  }

  async run(): Promise<void> {
    const { lines, rotations } = this.#options;
    for (const { kind, n } of rotations) {
      await this.#write(n);
      // A kubelet looks at a log's size every 3 s at most often: one that is followed from its start has been read by then.
      await this.#until(() => this.#stored > 0);
      await this.#rotateBy(kind);
    }
    await this.#write(lines);
    await Promise.all(this.#rotating);
    this.files.at(-1)!.until = this.#n;
  }

  async #rotateBy(kind: RotationKind): Promise<void> {
    switch (kind) {
      case "followed":
        await this.#until(() => this.#stored >= this.#n);
        return await this.#rotate(kind);
      case "busy":
        this.#rotating.push(this.#rotate(kind));
        return;
      case "split":
        return await this.#splitLine();
      case "burst":
        for (let file = 0; file < BURST.files; file += 1) {
          this.#batch(Math.min(this.#n + BURST.lines, this.#options.lines));
          await this.#rotate(kind);
          await sleep(this.#options.burstMs);
        }
    }
  }

  /** Writes up to line `end`, as fast as it is stored. */
  async #write(end: number): Promise<void> {
    while (this.#n < end && !this.#aborted.aborted) {
      if (this.#n >= this.#options.allowed()) {
        await sleep(LOOK_MS);
        continue;
      }
      this.#batch(Math.min(this.#n + BATCH, end));
      await this.#pace();
    }
  }

  async #pace(): Promise<void> {
    const until = performance.now() + TRICKLE_MS;
    do await sleep(this.#n - this.#stored > this.#options.window ? LOOK_MS : 0);
    while (this.#n - this.#stored > this.#options.window && performance.now() < until && !this.#aborted.aborted);
  }

  /** Waits for the store, but not for ever. */
  async #until(met: () => boolean): Promise<void> {
    const until = performance.now() + FOLLOWED_MS;
    while (!met() && performance.now() < until && !this.#aborted.aborted) await sleep(LOOK_MS);
  }

  /** Writes up to line `end`; the last one tells by its time that all before it are stored. */
  #batch(end: number): void {
    const { pod, stamps } = this.#options;
    if (end <= this.#n) return;
    writeNumbered(this.#output, chaosLine, pod, this.#n, end - 1);
    stamps.freshen();
    writeNumbered(this.#output, chaosLine, pod, end - 1, end);
    this.#n = end;
    this.#checkpoints.push({ n: end, time: stamps.freshest });
  }

  async #splitLine(): Promise<void> {
    const { pod, lines } = this.#options;
    if (this.#n >= lines) return;
    const stream = onStderr(this.#n) ? "stderr" : "stdout";
    const line = Buffer.from(`${chaosLine(pod, this.#n)}\n`);
    const half = Math.floor(line.length / 2);
    this.#output.write(stream, line.subarray(0, half));
    this.#n += 1;
    await this.#rotate("split");
    this.#output.write(stream, line.subarray(half));
  }

  async #rotate(kind: RotationKind): Promise<void> {
    const { rotate, readableRotations } = this.#options;
    const stored = this.#stored;
    await rotate();
    const last = this.files.at(-1)!;
    last.until = this.#n;
    last.rotated = kind;
    this.files.push({ from: this.#n, until: this.#n, rotated: null, gone: null });
    const gone = this.files.at(-2 - readableRotations);
    if (gone !== undefined && gone.gone === null) gone.gone = stored;
  }
}
