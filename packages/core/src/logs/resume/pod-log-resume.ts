import type { ChunkBuilder } from "../chunk/builder.ts";
import { UNFINISHED } from "../chunk/chunk.ts";
import type { Hash64 } from "../lines/hash.ts";
import { Aligner } from "./aligner.ts";
import { FollowedFiles } from "./followed-files.ts";
import type { LineMark, Marks } from "./marks.ts";
import { NewLines } from "./new-lines.ts";
import { PodLogParser } from "./pod-log-parser.ts";

/** How an answer of the log API is to be asked for. */
export interface PodLogAsk {
  /** Whole seconds since the epoch; null for everything that is there. */
  sinceSeconds: number | null;
  /** True when the answer goes on with what is written later, and through rotations. */
  follow: boolean;
}

/** How what was received fits to what is known. */
export type PodLogVerdict =
  /** It continues what is known, or does not say yet whether it does. */
  | "fits"
  /** It does not continue what is known: lines between may be lost. */
  | "gap"
  /** The kubelet may have left a rotated file out before the next line, or may be giving a file once more: ask again. */
  | "jump"
  /** The kubelet says something instead of the log. */
  | "diagnostic";

/** Covers what stdout and stderr are apart, and small steps of the clock, in seconds. */
const SLACK_SECONDS = 2;

/** What must be known of a stream to go on with it: the lines of its last so many seconds. */
export const MARK_SECONDS = 2 * SLACK_SECONDS;

/**
 * Continues a stream through answers of the log API without losing or doubling a line: each answer begins a little before
 * the end of what is known, and only what comes behind the place where the two sequences join is new.
 *
 * Times can't do this: the API cuts `sinceTime` to the second, includes it, and the lines of a container are not in the
 * order of their times.
 *
 * It decides; somebody else sends the requests and hands the bytes over. New lines go to the builder.
 */
export class PodLogResume {
  /** First lines of rotated files that were the end of a known line. */
  headRests = 0;
  readonly #builder: ChunkBuilder;
  readonly #parser: PodLogParser;
  readonly #lines: NewLines;
  #aligner: Aligner | null = null;
  #verdict: PodLogVerdict = "fits";
  #diagnostic: string | null = null;
  /** The last thing of this answer so far, where that has no time and reads like the kubelet's own words. */
  #said: string | null = null;
  /**
   * How far back is asked for until a line was new. More, where all marks had to be compared: the kubelet glues other lines together when it
   * filters, so what it gives from one second on may fit to nothing (cri-client, pkg/logs/logs.go).
   */
  #slack = SLACK_SECONDS;
  readonly #files: FollowedFiles;
  /** The last of {@link headRests}. */
  #lastRest: LineMark | null = null;
  #now = 0;
  #received = false;
  /** True when the next line is another part of one, and the parts before were left out. */
  #inHeadRest = false;
  /** The line before was earlier than the one before it. */
  #backstep = false;

  /**
   * @param known - the marks of the lines that are known, the newest at the end; all that are within
   * {@link MARK_SECONDS} of the last one, or some lines may be read once more
   * @param written - about how many bytes the container had written so far
   * @param onFull - called between two lines when the builder's chunk must be taken
   */
  constructor(builder: ChunkBuilder, known: Marks, written: number, onFull: () => void) {
    this.#builder = builder;
    this.#lines = new NewLines(builder, known);
    this.#files = new FollowedFiles(written);
    this.#parser = new PodLogParser(builder, {
      full: onFull,
      line: (length, seconds, nanos, hash, flags) => this.#line(length, seconds, nanos, hash, flags),
      unstamped: (text) => this.#unstamped(text),
    });
  }

  /** Lines of another standard stream that were taken out of a long one. */
  get unglued(): number {
    return this.#lines.unglued;
  }

  /** True when nothing is known that an answer could continue. */
  get blank(): boolean {
    return this.#lines.known.length === 0;
  }

  /** What to ask for so that the answer overlaps with what is known. */
  ask(follow: boolean): PodLogAsk {
    const { lastSeconds } = this.#lines;
    return { sinceSeconds: lastSeconds === null ? null : lastSeconds - this.#overlap, follow };
  }

  get verdict(): PodLogVerdict {
    return this.#verdict;
  }

  /**
   * True when another answer may have more to say than the silence of this one: its file may have been rotated away
   * unnoticed, or its last line is not certain before another one comes.
   */
  get mayBeStuck(): boolean {
    return this.#lines.waits || this.#files.mayBeStuck;
  }

  /** What the kubelet said in the place of lines, in this answer. */
  get diagnostic(): string | null {
    return this.#diagnostic;
  }

  /** True when the place was found where the answer, as far as it was received, joins what is known. */
  get aligned(): boolean {
    return this.#aligner?.endsAligned ?? false;
  }

  /** True when this answer had any line at all. */
  get received(): boolean {
    return this.#received;
  }

  /** What came behind the last newline of this answer. */
  get rest(): Uint8Array {
    return this.#parser.rest;
  }

  /** New lines of this answer. */
  get fresh(): number {
    return this.#lines.fresh;
  }

  /** The time of the last line, in seconds since the epoch; null before the first. */
  get lastSeconds(): number | null {
    return this.#lines.lastSeconds;
  }

  /**
   * An answer begins.
   *
   * @param asked - as it was asked for
   * @param nowSeconds - when it was asked for
   * @param known - takes the place of the marks so far, which may have been too few
   */
  begin(asked: PodLogAsk, nowSeconds: number, known: Marks = this.#lines.known): void {
    const { sinceSeconds, follow } = asked;
    const more = known === this.#lines.known ? 0 : 1;
    this.#lines.known = known;
    this.#aligner = new Aligner(sinceSeconds === null ? known : known.since(sinceSeconds));
    this.#begin(nowSeconds, follow, more);
  }

  /** An answer with everything that is there begins, and all of it is new: what came before is lost, and that is written down. */
  beginBehindGap(nowSeconds: number, follow: boolean): void {
    this.#lines.forget();
    this.#aligner = new Aligner(this.#lines.known);
    // What is lost may have been much.
    this.#files.written = Infinity;
    this.#begin(nowSeconds, follow, 0);
  }

  #begin(nowSeconds: number, follow: boolean, moreSlack: number): void {
    this.#slack = this.#overlap + moreSlack;
    this.#parser.begin();
    this.#files.begin(nowSeconds, follow);
    this.#verdict = "fits";
    this.#diagnostic = null;
    this.#said = null;
    this.#lines.begin();
    this.#now = nowSeconds;
    this.#received = false;
    this.#inHeadRest = false;
    this.#backstep = false;
  }

  /** Takes the answer's next bytes; they may be overwritten afterwards. Ends the answer when the verdict is not `fits`. */
  push(bytes: Uint8Array, nowSeconds: number): void {
    this.#now = nowSeconds;
    this.#files.written += bytes.length;
    this.#parser.push(bytes);
  }

  /**
   * An ended container's answer was whole. Where its place was not found, what came behind the last newline may be the last
   * known line, which had none: somebody has read the log to its end before.
   */
  matchRest(): void {
    if (this.#verdict === "fits" && !this.aligned) this.#parser.finish();
  }

  /**
   * The answer has ended. What came behind the last newline is not a line, unless this is the final reading.
   *
   * @param final - the container has ended, and the answer was whole
   */
  end(final: boolean): void {
    if (final && this.#verdict === "fits") {
      this.#parser.finish();
      this.#lines.finish();
    } else if (this.#parser.rest.length > 0 && !startsWithDigit(this.#parser.rest)) this.#unstamped(this.#parser.rest);
    if (this.#said !== null && this.#verdict === "fits") this.#diagnose(this.#said);
    this.#lines.drop();
    this.#countRest();
  }

  /** Each counts once, however often its file is read from its beginning. */
  #countRest(): void {
    const rest = this.aligned ? (this.#aligner?.headRest ?? null) : null;
    if (rest === null || (rest.seconds === this.#lastRest?.seconds && rest.nanos === this.#lastRest.nanos)) return;
    this.#lastRest = rest;
    this.headRests += 1;
  }

  get #overlap(): number {
    return this.#lines.fresh > 0 ? SLACK_SECONDS : this.#slack;
  }

  /** Forgets the marks that no request reaches back to, also when the next line is an older one. */
  trim(): void {
    // While the place is looked for they are being compared.
    const { known, lastSeconds } = this.#lines;
    if (lastSeconds === null || this.#aligner?.aligned === false) return;
    known.dropBefore(lastSeconds - this.#overlap - SLACK_SECONDS);
  }

  #stop(verdict: PodLogVerdict): void {
    this.#verdict = verdict;
    this.#parser.stop();
  }

  /**
   * Behind the place where the answer joins what is known it is the kubelet that speaks. Before, it may be the rest of a
   * line whose beginning was filtered out, whatever that says; but then a line follows, and nothing follows the kubelet's words.
   */
  #unstamped(text: Uint8Array): void {
    const words = new TextDecoder().decode(text.subarray(0, 1000));
    if (this.#aligner?.aligned !== false) this.#diagnose(words);
    else if (isKubeletText(words)) this.#said = words;
  }

  #diagnose(words: string): void {
    this.#diagnostic = words;
    this.#stop("diagnostic");
  }

  #line(length: number, seconds: number, nanos: number, hash: Hash64, flags: number): void {
    this.#received = true;
    this.#said = null;
    const time = seconds + nanos / 1e9;
    const step = this.#files.step(time, this.#now);
    const aligner = this.#aligner!;
    if (this.#inHeadRest) {
      this.#inHeadRest = (flags & UNFINISHED) !== 0;
      return;
    }
    if (!aligner.aligned) {
      const { bytes, end } = this.#builder;
      const mark = { seconds, nanos, high: hash.high, low: hash.low };
      const alignment = aligner.push(mark, bytes.subarray(end, end + length));
      this.#inHeadRest = aligner.headRest === mark && (flags & UNFINISHED) !== 0;
      if (alignment === "none") this.#stop("gap");
      if (alignment !== "new") return;
    }
    const mayBeAgain = step === "back" || this.#backstep;
    if (step === "ahead" || (mayBeAgain && this.#isAgain({ seconds, nanos, high: hash.high, low: hash.low }))) {
      this.#stop("jump");
      return;
    }
    this.#backstep = step === "back";
    const waits = this.#backstep || this.#files.mayBeSpliced(time, this.#now);
    this.#lines.push(length, seconds, nanos, hash, flags, waits);
  }

  /**
   * Whether a file is given once more: then its lines are known ones. Its first may be the rest of one, so the second one
   * is asked about too.
   */
  #isAgain(mark: LineMark): boolean {
    const { known, lastSeconds } = this.#lines;
    // Older ones are not known any more.
    return (lastSeconds !== null && mark.seconds < lastSeconds - SLACK_SECONDS) || known.has(mark);
  }
}

/** What the kubelet writes under a 200 that was already sent (kubelet, server.go and kuberuntime). */
function isKubeletText(words: string): boolean {
  return /^(?:unable to retrieve container logs for |failed to |rpc error: |an error on the server|Internal Error)/.test(
    words,
  );
}

function startsWithDigit(bytes: Uint8Array): boolean {
  return bytes[0]! >= 0x30 && bytes[0]! <= 0x39;
}
