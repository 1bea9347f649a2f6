import {
  ClusterError,
  Marks,
  PodLogResume,
  readRefusal,
  type Flow,
  type PodLogAsk,
  type PodLogEnd,
  type PodLogs,
  type StreamPosition,
} from "@tailrace/core";
import { readAnswer, type AnswerEnd } from "./pod-log-answer.ts";
import { GIVE_UP_MS, SETTLE_MS, type Reader, type Reading, type ReadingEnd } from "./reading.ts";
import { Trouble } from "./trouble.ts";

/** Lines are put on their way at the latest so long after they were read. */
const FLUSH_MS = 50;

/** The same once the container has ended and nobody sees it live: fewer and larger chunks take less time. */
const ENDED_FLUSH_MS = 500;

/** How soon a container that waits to start is asked again. */
const WAITING_MS = 200;

/** What the last answer was read as. */
type Next =
  | { kind: "again"; pauseMs: number }
  | { kind: "failed"; reason: string; refused: boolean }
  | { kind: "end"; end: ReadingEnd };

const POSITION: StreamPosition = { source: "api" };

/** What of a container's output was read before. */
export interface KnownOutput {
  /** The marks of the lines of its last {@link MARK_SECONDS}. */
  known: Marks;
  /** About how many bytes it is; too many do no harm. */
  written: number;
  /** The marks of all its lines; null when they are too many. */
  loadAllMarks: () => Promise<Marks | null>;
}

/** Of an output of which nothing was read; the marks grow with what is. */
function nothingKnown(): KnownOutput {
  return { known: new Marks(), written: 0, loadAllMarks: () => Promise.resolve(null) };
}

/** Reads a stream from `pods/log`. */
export class PodLogReader implements Reader {
  readonly position = POSITION;
  readonly #reading: Reading;
  readonly #logs: PodLogs;
  readonly #resume: PodLogResume;
  readonly #loadAllMarks: () => Promise<Marks | null>;
  #counted = { unglued: 0, headRests: 0 };
  #behindGap = false;
  #flushTimer: NodeJS.Timeout | undefined;
  /** What stood behind the last newline of the final reading before. */
  #lastRest: Uint8Array | null = null;
  /** What stood behind the last newline when an answer had its natural end. */
  #cleanRest: Uint8Array = new Uint8Array(0);
  #silences = 0;

  constructor(reading: Reading, logs: PodLogs, { known, written, loadAllMarks }: KnownOutput = nothingKnown()) {
    this.#reading = reading;
    this.#logs = logs;
    this.#loadAllMarks = loadAllMarks;
    this.#resume = new PodLogResume(reading.sink.builder, known, written, () => this.#flush());
  }

  skipGap(): void {
    this.#behindGap = true;
  }

  finish(): void {
    if (this.#cleanRest.length === 0) return;
    this.#resume.beginBehindGap(now(), false);
    this.#resume.push(this.#cleanRest, now());
    this.#finishAnswer(true);
    this.#cleanRest = new Uint8Array(0);
  }

  async run(): Promise<ReadingEnd> {
    const { signal, admission, pause } = this.#reading;
    const trouble = new Trouble(this.#reading);
    while (!signal.aborted) {
      // What is unread may be rotated away at any moment, and nobody tells.
      await admission.admission(false, signal);
      if (signal.aborted) break;
      const next = await this.#once();
      if (signal.aborted) break;
      if (next.kind === "end") return next.end;
      if (next.kind === "failed") {
        const end = await trouble.failed({ code: "refused", ...next }, performance.now(), GIVE_UP_MS);
        if (end !== null) return end;
        continue;
      }
      trouble.over();
      await pause(next.pauseMs);
    }
    return { kind: "aborted" };
  }

  /** One request, and what follows from its answer. */
  async #once(): Promise<Next> {
    const final = this.#reading.view.terminated;
    const follow = !final;
    const ask: PodLogAsk = this.#behindGap ? { sinceSeconds: null, follow } : this.#resume.ask(follow);
    if (this.#behindGap) this.#resume.beginBehindGap(now(), follow);
    else this.#resume.begin(ask, now());
    const end = await this.#request(ask);
    if (end instanceof ClusterError) {
      this.#finishAnswer(false);
      return { kind: "failed", reason: end.message, refused: end.code === "forbidden" };
    }
    const rest = this.#resume.rest.slice();
    const whole = final && end.kind === "ended";
    if (whole) this.#resume.matchRest();
    if (end.kind === "ended" && this.#resume.verdict === "fits") this.#cleanRest = this.#resume.rest.slice();
    const agrees = whole && this.#agrees(rest);
    this.#lastRest = final ? rest : null;
    this.#finishAnswer(agrees);
    if (agrees) this.#cleanRest = new Uint8Array(0);
    if (this.#resume.fresh > 0) this.#behindGap = false;
    if (end.kind === "refused") return this.#afterRefusal(end);
    return await this.#afterAnswer(end, final, agrees);
  }

  async #afterAnswer(end: Exclude<PodLogEnd, { kind: "refused" }>, final: boolean, agrees: boolean): Promise<Next> {
    const { view, onReopen } = this.#reading;
    switch (this.#resume.verdict) {
      case "gap":
        return await this.#confirmGap();
      case "jump":
        onReopen("jump");
        return { kind: "again", pauseMs: 0 };
      case "diagnostic":
        onReopen("diagnostic");
        if (view.terminated || view.gone)
          return { kind: "end", end: { kind: "gone", reason: this.#resume.diagnostic! } };
        return { kind: "failed", reason: this.#resume.diagnostic!, refused: false };
      case "fits":
    }
    if (end.kind === "cut") {
      onReopen(end.reason);
      return { kind: "again", pauseMs: this.#resume.fresh > 0 ? 0 : 2 * SETTLE_MS * Math.random() };
    }
    // The whole file does not hold what is known: it is another one, and what stood between may be lost.
    if (final && !this.#resume.aligned) return await this.#confirmGap();
    if (agrees) return { kind: "end", end: { kind: "ended" } };
    if (!final) onReopen("eof");
    return { kind: "again", pauseMs: final ? SETTLE_MS : 100 };
  }

  /** True when the final reading gave nothing that the one before it had not. */
  #agrees(rest: Uint8Array): boolean {
    const { verdict, aligned, fresh } = this.#resume;
    const last = this.#lastRest;
    return verdict === "fits" && aligned && fresh === 0 && last !== null && sameBytes(rest, last);
  }

  #afterRefusal(end: Extract<PodLogEnd, { kind: "refused" }>): Next {
    const refusal = readRefusal(end);
    switch (refusal.kind) {
      case "waiting":
        return { kind: "again", pauseMs: WAITING_MS };
      case "gone":
        return { kind: "end", end: { kind: "gone", reason: refusal.reason } };
      case "retry":
        return { kind: "failed", reason: refusal.reason, refused: false };
      case "failed":
        if (end.status === 400 && this.#reading.view.previous)
          return { kind: "end", end: { kind: "gone", reason: refusal.reason } };
        return { kind: "failed", reason: refusal.reason, refused: end.status === 403 };
    }
  }

  /** Before lines count as lost everything that is there is compared with everything that is known. */
  async #confirmGap(): Promise<Next> {
    const { view, sink, signal, onReopen } = this.#reading;
    onReopen("gap");
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(GIVE_UP_MS)]);
    await sink.settled(bounded);
    // Compared with less than everything that was read, lines would be new once more.
    if (bounded.aborted)
      return { kind: "failed", reason: "what was read of the log is not stored yet", refused: false };
    const known = await this.#loadAllMarks();
    if (known === null) return { kind: "end", end: { kind: "lost", certain: false } };
    const ask: PodLogAsk = { sinceSeconds: null, follow: false };
    this.#resume.begin(ask, now(), known);
    const end = await this.#request(ask);
    const ended = !(end instanceof ClusterError) && end.kind === "ended";
    if (ended && view.terminated) this.#resume.matchRest();
    const { verdict, aligned } = this.#resume;
    this.#finishAnswer(false);
    if (aligned) return { kind: "again", pauseMs: 0 };
    if (verdict === "gap" || (ended && verdict === "fits"))
      return { kind: "end", end: { kind: "lost", certain: false } };
    const reason = end instanceof ClusterError ? end.message : "the log could not be read whole";
    return { kind: "failed", reason, refused: false };
  }

  async #request(ask: PodLogAsk): Promise<AnswerEnd> {
    const { view, signal } = this.#reading;
    const mayBeStuck = (): boolean => this.#resume.mayBeStuck;
    const end = await readAnswer(this.#logs, ask, (bytes, flow) => this.#take(bytes, flow), {
      view,
      signal,
      mayBeStuck,
      silences: this.#silences,
    });
    this.#silences = this.#resume.fresh > 0 ? 0 : this.#silences + 1;
    return end;
  }

  #take(bytes: Uint8Array, flow: Flow): boolean {
    const { admission, signal, sink, view } = this.#reading;
    this.#resume.push(bytes, now());
    if (this.#resume.verdict !== "fits") {
      flow.stop();
      return false;
    }
    const flushMs = view.terminated ? ENDED_FLUSH_MS : FLUSH_MS;
    if (sink.builder.lines > 0) this.#flushTimer ??= setTimeout(() => this.#flush(), flushMs);
    if (admission.mayRead(false)) return true;
    void admission.admission(false, signal).then(() => (signal.aborted ? flow.stop() : flow.resume()));
    return false;
  }

  #finishAnswer(final: boolean): void {
    this.#resume.end(final);
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const { sink } = this.#reading;
    const { unglued, headRests } = this.#resume;
    sink.count({ unglued: unglued - this.#counted.unglued, headRests: headRests - this.#counted.headRests });
    this.#counted = { unglued, headRests };
    sink.flush(POSITION);
    this.#resume.trim();
  }
}

/** Seconds since the epoch. */
function now(): number {
  return Date.now() / 1000;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
