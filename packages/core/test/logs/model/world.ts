import { concat } from "./bytes.ts";
import type { Entry } from "./entry.ts";
import type { Action, History, Write } from "./history.ts";
import { lineBytes } from "./line-bytes.ts";
import { LogFile, NodeFolder } from "./node-folder.ts";
import { Random } from "./random.ts";
import { Runtime, type Piece } from "./runtime.ts";

/** When the container begins, in nanoseconds since the epoch: shortly before a second is full. */
const BEGIN = 1_795_528_465_900_000_000n;

/** The kubelet does not rotate a container's log more often (`containerLogMonitorInterval`). */
const ROTATION_MS = 3000;

const MS = 1_000_000;

/** Who looks at the folder at every change, as the kubelet's own reader does. */
export interface Watcher {
  changed(): void;
}

/** A container, its runtime and the kubelet's rotation, in small steps that others can look between. */
export class World {
  readonly history: History;
  readonly folder: NodeFolder;
  /** Everything that was written, in the order of the files. */
  readonly entries: Entry[] = [];
  /** The number of the first entry of each file. */
  readonly fileStarts: number[] = [0];
  readonly watchers = new Set<Watcher>();
  /** True when nothing more is written or rotated. */
  ended = false;
  /** Rotations that were done. */
  rotations = 0;
  /** How often a file came to be the current one, also by getting its name back. */
  created = 0;
  /**
   * True while the new file is there and the last entries still go into the old one. A reader of the kubelet's that goes
   * over to the new file now misses them for good. That is its own loss, which nobody could know of, so here it waits.
   */
  reopening = false;
  readonly #random: Random;
  readonly #runtime = new Runtime();
  readonly #steps: Iterator<number, void>;
  /** Into which the runtime writes. */
  #target: LogFile;
  /** Nanoseconds since {@link BEGIN}. */
  #now = 0;
  #nextAt = 0;
  #stepped = 0n;
  #newest: [bigint, bigint] = [0n, 0n];
  #lines = 0;
  /** The second half of a line, for stdout and stderr. */
  readonly #halves: [Uint8Array | null, Uint8Array | null] = [null, null];
  #renamedAt = -ROTATION_MS * MS;
  /** How coarse the clock is where times are identical. */
  readonly #tick: bigint;

  constructor(history: History) {
    this.history = history;
    this.#random = new Random(history.seed);
    this.#tick = this.#random.pick([10_000_000n, 200_000_000n]);
    this.#target = new LogFile(0, history.zone);
    this.folder = new NodeFolder(this.#target);
    this.#steps = this.#run();
  }

  /** The moment, in nanoseconds since the epoch, by a clock that never steps. */
  get now(): bigint {
    return BEGIN + BigInt(this.#now);
  }

  /** How far the node's clock has stepped, in nanoseconds. */
  get stepped(): bigint {
    return this.#stepped;
  }

  /** Does the next step, whenever it is due. */
  step(): void {
    if (this.ended) this.#now += MS;
    else this.#doStep();
  }

  /** Lets time pass, with everything that happens meanwhile. */
  pass(ms: number): void {
    const until = this.#now + ms * MS;
    while (!this.ended && this.#nextAt <= until) this.#doStep();
    this.#now = Math.max(this.#now, until);
  }

  #doStep(): void {
    this.#now = Math.max(this.#now, this.#nextAt);
    const { value, done } = this.#steps.next();
    if (done === true) this.ended = true;
    else this.#nextAt = this.#now + value * MS;
    for (const watcher of this.watchers) watcher.changed();
  }

  /** Each yield says how many milliseconds pass until the next step. */
  *#run(): Generator<number, void> {
    yield this.#random.below(20);
    for (const action of this.history.actions) yield* this.#act(action);
    for (const std of [0, 1] as const) {
      const half = this.#halves[std];
      // Half of the containers end without a newline.
      if (half !== null && this.#random.chance(0.5)) yield* this.#append(this.#runtime.write(std === 1, half));
    }
    yield* this.#append(this.#runtime.flush());
  }

  *#act(action: Action): Generator<number, void> {
    if (action.do !== "write") this.#maybeStepClock();
    switch (action.do) {
      case "write":
        return yield* this.#write(action.write);
      case "pause":
        return yield action.ms;
      case "alike":
        for (let left = action.count; left > 0; left -= 1)
          yield* this.#write({ stderr: false, kind: "same", size: 0, whole: true, wait: 0 });
        return;
      case "glue":
        return yield* this.#glue(action);
      case "rotate":
        return yield* this.#rotate(action);
    }
  }

  *#glue({ stderr, size, inside }: Extract<Action, { do: "glue" }>): Generator<number, void> {
    const line = lineBytes({ kind: "long", size }, this.#lines);
    this.#lines += 1;
    // What is more than one piece goes to the file at once.
    const middle = this.#random.between(16_385, line.length);
    yield* this.#append(this.#runtime.write(stderr, line.subarray(0, middle)));
    for (const kind of inside)
      yield* this.#write({ stderr: !stderr, kind, size, whole: true, wait: this.#random.below(3) });
    yield* this.#append(this.#runtime.write(stderr, line.subarray(middle)));
  }

  *#write({ stderr, kind, size, whole, wait }: Write): Generator<number, void> {
    const std = stderr ? 1 : 0;
    const begun = this.#halves[std];
    const line = lineBytes({ kind: this.#unlike(kind), size }, this.#lines);
    this.#lines += 1;
    const middle = whole ? line.length : this.#random.between(1, line.length);
    this.#halves[std] = middle < line.length ? line.slice(middle) : null;
    yield* this.#append(this.#runtime.write(stderr, concat([begun ?? new Uint8Array(0), line.subarray(0, middle)])));
    yield wait;
  }

  /** Lines that are alike and have the same time can't be told apart when some of them are in another file. */
  #unlike(kind: Write["kind"]): Write["kind"] {
    const alike = kind === "same" || kind === "empty";
    const rotates = this.history.actions.some(({ do: what }) => what === "rotate");
    return alike && rotates && this.history.stamps === "identical" ? "text" : kind;
  }

  *#append(pieces: readonly Piece[]): Generator<number, void> {
    for (const { stderr, partial, text } of pieces) {
      const entry = { stderr, partial, text, time: this.#stamp(stderr), file: this.#target.number };
      this.#target.append(entry);
      this.entries.push(entry);
      this.#now += this.#random.between(1, 50_000);
      yield 0;
    }
  }

  #stamp(stderr: boolean): bigint {
    const std = stderr ? 1 : 0;
    const clock = this.now + this.#stepped;
    if (this.history.stamps === "identical") return clock - (clock % this.#tick);
    if (this.history.stamps !== "skewed") return clock;
    const late = clock - (stderr ? BigInt(this.#random.below(40 * MS)) : 0n);
    this.#newest[std] = late > this.#newest[std] ? late : this.#newest[std] + 1n;
    return this.#newest[std];
  }

  /**
   * Forwards by any time; back once, by less than what a reader can cover, and by little where the kubelet may leave a file
   * out: that is told by the time between two lines.
   */
  #maybeStepClock(): void {
    const { stamps, slowness, actions } = this.history;
    if (stamps !== "stepping") return;
    const back = slowness === 0 && this.#stepped === 0n && this.#random.chance(0.5);
    const most = actions.some(({ do: what }) => what === "rotate") ? 300 : 1500;
    if (back) this.#stepped = -BigInt(this.#random.below(most * MS));
    else if (this.#random.chance(0.5)) this.#stepped += BigInt(this.#random.below(20_000 * MS));
  }

  /** The kubelet's rotation (kubelet, pkg/kubelet/logs/container_log_manager.go). */
  *#rotate({ fails, before, after }: Extract<Action, { do: "rotate" }>): Generator<number, void> {
    const { folder } = this;
    const file = folder.current;
    if (file === null || file.entries.length === 0) return;
    const early = this.#renamedAt + ROTATION_MS * MS - this.#now;
    if (early > 0) yield early / MS;
    while (folder.rotated.length > this.history.maxFiles - 2) {
      folder.rotated.shift();
      yield this.#random.below(20);
    }
    for (const rotated of folder.rotated) if (rotated.raw) yield* this.#compress(rotated);
    this.#renamedAt = this.#now;
    const base = `0.log.${stamp(this.now)}`;
    folder.rotated.push({ base, file, raw: true, gz: false, tmp: false });
    folder.current = null;
    // A runtime that is busy takes its time; not where that could hide that a file was left out.
    yield this.#random.below(this.history.slowness === 0 && this.#random.chance(0.2) ? 900 : 60);
    if (before !== null) yield* this.#write({ ...before, wait: this.#random.below(40) });
    if (fails) {
      folder.rotated.pop();
      folder.current = file;
      this.created += 1;
      return yield this.#random.below(1000);
    }
    yield* this.#reopen(after);
    this.rotations += 1;
  }

  *#compress(rotated: NodeFolder["rotated"][number]): Generator<number, void> {
    rotated.tmp = true;
    yield this.#random.below(200);
    rotated.tmp = false;
    rotated.gz = true;
    yield this.#random.below(10);
    rotated.raw = false;
    yield this.#random.below(10);
  }

  /** The runtime makes the new file, still writes what it has into the old one, and goes over to the new one. */
  *#reopen(after: Write | null): Generator<number, void> {
    const next = new LogFile(this.#target.number + 1, this.history.zone);
    this.folder.current = next;
    this.created += 1;
    this.reopening = true;
    yield this.#random.below(this.history.slowness === 0 && this.#random.chance(0.3) ? 200 : 60);
    if (after !== null) yield* this.#write({ ...after, wait: this.#random.below(40) });
    if (this.history.cutsAtReopening) yield* this.#append(this.#runtime.flush());
    this.reopening = false;
    this.#target = next;
    this.fileStarts.push(this.entries.length);
    yield 0;
  }
}

function stamp(time: bigint): string {
  const text = new Date(Number(time / 1_000_000n)).toISOString();
  return `${text.slice(0, 10).replaceAll("-", "")}-${text.slice(11, 19).replaceAll(":", "")}`;
}
