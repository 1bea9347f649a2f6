import { Marks, markLines, PodLogResume, type ChunkBuilder } from "../../../src/index.ts";
import { ApiFaults, type ApiFault } from "./api-faults.ts";
import { utf8 } from "./bytes.ts";
import { PodLogAnswer } from "./pod-log.ts";
import { GarbagePool } from "./pool.ts";
import type { Random } from "./random.ts";
import type { StreamStore } from "./store.ts";
import type { World } from "./world.ts";

type Mode =
  /** Asks for what overlaps with the newest lines. */
  | "overlap"
  /** Reads all there is, and compares with all lines that are known. */
  | "whole"
  /** Writes the gap down, and takes everything. */
  | "behind_gap";

/** After which an answer that may have come to a stop is given up, in nanoseconds. */
const SILENCE = 2_000_000_000n;

/** More answers than any history needs. */
const MOST_ANSWERS = 400;

/** Collects a stream through the log API from a model of it, with faults, as a collector will. */
export class ApiCollector {
  readonly store: StreamStore<null>;
  /** The first file of the last answer that began with nothing known. */
  firstFile = 0;
  unglued = 0;
  headRests = 0;
  /** How often the answer's place was looked for in all lines, and found. */
  foundInWhole = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #pool = new GarbagePool();
  /** What the collector's clock is off by, in seconds. */
  readonly #skew: number;
  #builder!: ChunkBuilder;
  #resume!: PodLogResume;
  #mode: Mode = "overlap";
  /** What stood behind the last newline of the final reading before; null where there was none. */
  #lastRest: Uint8Array | null = null;
  /** The last answer was a final reading, and gave what the one before it had given. */
  #agrees = false;
  /** The seq of the first line behind the gap that this answer began with. */
  #gapSeq: number | null = null;
  readonly #faults: ApiFaults;
  #lagging = false;

  constructor(world: World, random: Random, store: StreamStore<null>) {
    this.#world = world;
    this.#random = random;
    this.store = store;
    this.#faults = new ApiFaults(random, world.history.faults);
    this.#skew = (random.next() - 0.5) * 0.3;
    this.#restart();
  }

  /** Reads until the container has ended and two final readings agreed; once more where another process does so after that. */
  run(): void {
    this.#readToEnd();
    if (this.#random.chance(0.3)) {
      this.#restart();
      this.#readToEnd();
    }
    if (this.#mode === "behind_gap") this.store.addGap(this.#nextSeq, false);
    this.store.close();
    this.#keepCounts();
  }

  #readToEnd(): void {
    this.#agrees = false;
    for (let answers = 0; !this.#agrees; answers += 1) {
      if (answers === MOST_ANSWERS) throw new Error("the reading comes to no end");
      const whole = this.#read(this.#world.ended) === "whole";
      this.#agrees &&= whole;
    }
    this.#commit();
  }

  get #nextSeq(): number {
    return this.#builder.nextSeq + this.#builder.lines;
  }

  get #now(): number {
    const world = this.#world;
    // Where the kubelet can leave out a file, lateness counts: then both clocks step.
    const stepped = world.history.slowness > 0 ? world.stepped : 0n;
    return Number(world.now + stepped) / 1e9 + this.#skew;
  }

  /** One answer. @returns `whole` when it ended well, and was all there was */
  #read(final: boolean): "whole" | "cut" {
    const fault = this.#faults.next(final);
    // Whoever asks again waits a little first.
    if (final) this.#world.pass(this.#random.between(50, 200));
    else this.#letPass();
    if (fault === "refused") return "cut";
    const answer = this.#ask(final);
    const watcher = { changed: () => this.#kubeletReads(answer) };
    this.#world.watchers.add(watcher);
    try {
      return this.#receive(answer, fault, final);
    } finally {
      this.#world.watchers.delete(watcher);
    }
  }

  #ask(final: boolean): PodLogAnswer {
    const resume = this.#resume;
    this.#gapSeq = null;
    let sinceSeconds: number | null = null;
    const follow = !final && this.#mode !== "whole";
    if (this.#mode === "overlap") {
      ({ sinceSeconds } = resume.ask(follow));
      resume.begin({ sinceSeconds, follow }, this.#now);
    } else if (this.#mode === "whole") {
      this.#commit();
      resume.begin({ sinceSeconds, follow }, this.#now, this.#marks());
    } else {
      this.#gapSeq = this.#nextSeq;
      resume.beginBehindGap(this.#now, follow);
    }
    const answer = new PodLogAnswer(this.#world, sinceSeconds, follow);
    if (this.#nextSeq === 0) this.firstFile = answer.firstFile ?? this.firstFile;
    return answer;
  }

  #receive(answer: PodLogAnswer, fault: ApiFault, final: boolean): "whole" | "cut" {
    const mode = this.#mode;
    const end = this.#transfer(answer, fault, final);
    const { aligned, fresh, verdict } = this.#resume;
    if (mode === "whole" && aligned) this.foundInWhole += 1;
    if (end === "restarted") return "cut";
    if (mode === "behind_gap") this.#mode = fresh > 0 ? "overlap" : "behind_gap";
    else if (mode === "whole" && end === "whole" && !aligned) this.#mode = "behind_gap";
    else if (verdict === "gap") this.#mode = mode === "overlap" ? "whole" : "behind_gap";
    // An ended container's log does not hold what is known: it is in another file.
    else this.#mode = final && end === "whole" && !aligned ? "whole" : "overlap";
    return end;
  }

  #transfer(answer: PodLogAnswer, fault: ApiFault, final: boolean): "whole" | "cut" | "restarted" {
    const random = this.#random;
    if (fault === "empty") return this.#end("cut", final);
    if (fault === "kubelet_alone") return this.#say(final);
    const pieceSize = random.pick([700, 4096, 16_384, 65_536, 3_000_000]);
    let heard = this.#world.now;
    for (;;) {
      if (this.#world.ended) answer.read(Infinity);
      else this.#letPass();
      let bytes = answer.take(this.#pieceSize(pieceSize, answer.waiting));
      const cut = fault === "cut" && bytes.length > 0 && random.chance(0.3);
      if (cut) bytes = bytes.subarray(0, this.#faults.cutAt(bytes));
      this.#push(bytes);
      if (bytes.length > 0) heard = this.#world.now;
      if (random.chance(0.15)) this.#commit();
      if (random.chance(0.1)) this.#resume.trim();
      if (this.#faults.left && random.chance(0.02)) {
        this.#restart();
        return "restarted";
      }
      const ended = answer.done && answer.waiting === 0;
      // At the end of a final reading the words would be those of a line without a newline.
      const speaks = fault === "kubelet_at_end" && answer.waiting === 0 && !(final && !answer.lineBegins);
      if (speaks && (ended || random.chance(0.2))) return this.#say(final);
      // A followed answer may also be given up by us, when it is old or silent.
      const silent = this.#resume.mayBeStuck && this.#world.now - heard > SILENCE;
      const givenUp = !final && this.#mode !== "whole" && (silent || (this.#faults.left && random.chance(0.03)));
      if (cut || givenUp || ended || this.#resume.verdict !== "fits")
        return this.#end(ended && !cut ? "whole" : "cut", final);
    }
  }

  #pieceSize(usual: number, waiting: number): number {
    return this.#random.chance(0.1)
      ? this.#random.between(1, 40)
      : this.#random.between(1, Math.max(usual, waiting / 20));
  }

  #say(final: boolean): "cut" {
    this.#push(utf8(this.#faults.words));
    this.#end("whole", final);
    return "cut";
  }

  #end(end: "whole" | "cut", final: boolean): "whole" | "cut" {
    const resume = this.#resume;
    const rest = resume.rest.slice();
    const whole = final && end === "whole";
    if (whole) resume.matchRest();
    const same = this.#lastRest !== null && Buffer.compare(rest, this.#lastRest) === 0;
    this.#agrees = whole && same && resume.verdict === "fits" && resume.aligned && resume.fresh === 0;
    this.#lastRest = final ? rest : null;
    resume.end(this.#agrees);
    this.#noteGap();
    return end;
  }

  /** Pieces may be overwritten as soon as they were taken. */
  #push(bytes: Uint8Array): void {
    const piece = bytes.slice();
    this.#resume.push(piece, this.#now);
    piece.fill(0x0a);
    this.#noteGap();
  }

  #noteGap(): void {
    if (this.#gapSeq === null || this.#nextSeq === this.#gapSeq) return;
    this.store.addGap(this.#gapSeq, false);
    this.#gapSeq = null;
  }

  #commit(): void {
    this.#noteGap();
    this.store.commit(this.#builder, null);
  }

  /** As after a crash: what was not committed is gone. */
  #restart(): void {
    if (this.#resume !== undefined) this.#keepCounts();
    this.#builder = this.store.builder(this.#pool, false);
    this.#resume = new PodLogResume(this.#builder, this.#newestMarks(), Infinity, () => this.#commit());
    this.#mode = "overlap";
    this.#lastRest = null;
    this.#gapSeq = null;
  }

  #keepCounts(): void {
    this.unglued += this.#resume.unglued;
    this.headRests += this.#resume.headRests;
  }

  #marks(): Marks {
    const marks = new Marks();
    for (const chunk of this.store.chunks) markLines(marks, chunk);
    return marks;
  }

  /** All, or those that can be within the overlap. */
  #newestMarks(): Marks {
    const marks = this.#marks();
    if (marks.length > 0 && this.#random.chance(0.5)) marks.dropBefore(marks.seconds(marks.length - 1) - 4);
    return marks;
  }

  #letPass(): void {
    const { slowness } = this.#world.history;
    const steps = this.#random.chance(slowness * 0.3) ? this.#random.below(40) : this.#random.pick([0, 0, 1, 1, 2, 5]);
    for (let step = 0; step < steps; step += 1) this.#world.step();
    if (this.#random.chance(0.2)) this.#world.pass(this.#random.below(300));
  }

  #kubeletReads(answer: PodLogAnswer): void {
    const { slowness } = this.#world.history;
    answer.wake();
    if (this.#lagging) this.#lagging = !this.#random.chance(0.03 + (1 - slowness) * 0.2);
    else this.#lagging = this.#random.chance(slowness * 0.1);
    if (!this.#lagging) answer.read(Infinity);
    else if (this.#random.chance(0.3)) answer.read(1);
  }
}
