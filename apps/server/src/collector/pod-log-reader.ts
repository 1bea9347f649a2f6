import {
  ClusterError,
  PodLogResume,
  readRefusal,
  type Flow,
  type Marks,
  type PodLogAsk,
  type PodLogEnd,
  type PodLogs,
  type StreamPosition,
} from "@tailrace/core";
import { backoffMs } from "../supervisor/backoff.ts";
import { GIVE_UP_MS, SETTLE_MS, type Reader, type Reading, type ReadingEnd } from "./reading.ts";

/** Lines are put on their way at the latest so long after they were read. */
const FLUSH_MS = 50;

/** A followed answer that says nothing for so long is opened anew, in case its connection is dead. */
const SILENCE_MS = 60_000;

/** A followed answer is opened anew after so long: the kubelet cuts it at 4 h, busy or not (kubelet, server.go). */
const AGE_MS = 3_600_000;

/** A followed answer ends a second after its container; one that does not is ended. */
const OVERTIME_MS = 15_000;

/** How soon a container that waits to start is asked again. */
const WAITING_MS = 200;

/** What the last answer was read as. */
type Next =
  | { kind: "again"; pauseMs: number }
  | { kind: "failed"; reason: string; refused: boolean }
  | { kind: "end"; end: ReadingEnd };

const POSITION: StreamPosition = { source: "api" };

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
  #failures = 0;
  #failingSince = 0;

  /**
   * @param known - the marks of the stream's newest lines
   * @param loadAllMarks - those of all its lines; null when they are too many
   */
  constructor(reading: Reading, logs: PodLogs, known: Marks, loadAllMarks: () => Promise<Marks | null>) {
    this.#reading = reading;
    this.#logs = logs;
    this.#loadAllMarks = loadAllMarks;
    this.#resume = new PodLogResume(reading.sink.builder, known, () => this.#flush());
  }

  skipGap(): void {
    this.#behindGap = true;
  }

  finish(): void {
    if (this.#cleanRest.length === 0) return;
    this.#resume.beginBehindGap(now());
    this.#resume.push(this.#cleanRest, now());
    this.#finishAnswer(true);
    this.#cleanRest = new Uint8Array(0);
  }

  async run(): Promise<ReadingEnd> {
    const { signal, admission, pause, onProblem, onReopen } = this.#reading;
    while (!signal.aborted) {
      // What is unread may be rotated away at any moment, and nobody tells.
      await admission.admission(false, signal);
      if (signal.aborted) break;
      const next = await this.#once();
      if (signal.aborted) break;
      if (next.kind === "end") return next.end;
      if (next.kind === "again") {
        if (this.#failures > 0) onProblem(null);
        this.#failures = 0;
        await pause(next.pauseMs);
        continue;
      }
      if (this.#failures === 0) this.#failingSince = performance.now();
      this.#failures += 1;
      onReopen("refused");
      if (this.#failures > 1 || next.refused) onProblem(next.reason);
      if (next.refused || performance.now() - this.#failingSince > GIVE_UP_MS)
        return { kind: "unavailable", reason: next.reason, refused: next.refused };
      await pause(backoffMs(this.#failures, Math.random()));
    }
    return { kind: "aborted" };
  }

  /** One request, and what follows from its answer. */
  async #once(): Promise<Next> {
    const { view } = this.#reading;
    const final = view.terminated;
    const ask: PodLogAsk = this.#behindGap ? { sinceSeconds: null } : this.#resume.ask;
    if (this.#behindGap) this.#resume.beginBehindGap(now());
    else this.#resume.begin(ask, now());
    const end = await this.#request(ask, !final);
    if (end instanceof ClusterError) {
      this.#finishAnswer(false);
      return { kind: "failed", reason: end.message, refused: end.code === "forbidden" };
    }
    if (end.kind === "ended" && this.#resume.verdict === "fits") this.#cleanRest = this.#resume.rest.slice();
    const agrees = final && end.kind === "ended" && this.#agrees();
    this.#lastRest = final ? this.#resume.rest.slice() : null;
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
  #agrees(): boolean {
    const { verdict, aligned, fresh, rest } = this.#resume;
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
    const { sink, signal, onReopen } = this.#reading;
    onReopen("gap");
    await sink.settled(AbortSignal.any([signal, AbortSignal.timeout(GIVE_UP_MS)]));
    const known = await this.#loadAllMarks();
    if (known === null) return { kind: "end", end: { kind: "lost", certain: false } };
    const ask: PodLogAsk = { sinceSeconds: null };
    this.#resume.begin(ask, now(), known);
    const end = await this.#request(ask, false);
    if (end instanceof ClusterError || end.kind !== "ended") {
      this.#finishAnswer(false);
      const reason = end instanceof ClusterError ? end.message : "the log could not be read whole";
      return { kind: "failed", reason, refused: false };
    }
    const found = this.#resume.verdict === "fits" && this.#resume.aligned;
    this.#finishAnswer(false);
    return found ? { kind: "again", pauseMs: 0 } : { kind: "end", end: { kind: "lost", certain: false } };
  }

  async #request(ask: PodLogAsk, follow: boolean): Promise<PodLogEnd | ClusterError> {
    const { view, signal } = this.#reading;
    const sinceTime =
      ask.sinceSeconds === null ? null : `${new Date(ask.sinceSeconds * 1000).toISOString().slice(0, 19)}Z`;
    const { pod, container } = view.instance;
    const stop = new AbortController();
    const opened = performance.now();
    let terminatedSince: number | null = null;
    const watch = setInterval(() => {
      terminatedSince ??= view.terminated ? performance.now() : null;
      const overtime = terminatedSince !== null && performance.now() - terminatedSince > OVERTIME_MS;
      if (follow && (overtime || performance.now() - opened > AGE_MS)) stop.abort();
    }, 1000);
    try {
      return await this.#logs.readPodLogs(
        { pod, container, follow, previous: view.previous, sinceTime },
        (bytes, flow) => this.#take(bytes, flow),
        { signal: AbortSignal.any([signal, stop.signal]), silenceMs: SILENCE_MS },
      );
    } catch (error) {
      if (stop.signal.aborted) return { kind: "cut", reason: "age" };
      if (error instanceof ClusterError) return error;
      throw error;
    } finally {
      clearInterval(watch);
    }
  }

  #take(bytes: Uint8Array, flow: Flow): boolean {
    const { admission, signal, sink } = this.#reading;
    this.#resume.push(bytes, now());
    if (this.#resume.verdict !== "fits") {
      flow.stop();
      return false;
    }
    if (sink.builder.lines > 0) this.#flushTimer ??= setTimeout(() => this.#flush(), FLUSH_MS);
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
