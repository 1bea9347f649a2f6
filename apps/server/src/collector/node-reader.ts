import {
  ClusterError,
  CriParser,
  FILE_START,
  NodeFollower,
  type Flow,
  type NodeAnswer,
  type NodeLogFolder,
  type NodeLogs,
  type NodePosition,
  type NodeRequest,
  type StreamPosition,
} from "@tailrace/core";
import { backoffMs } from "../supervisor/backoff.ts";
import { nextPollMs } from "./poll-pace.ts";
import { GIVE_UP_MS, SETTLE_MS, type Reader, type Reading, type ReadingEnd } from "./reading.ts";

/** What is read within one answer is put on its way at least so often. */
const FLUSH_MS = 50;

/** A node that has never answered is not waited for longer than this. */
const FIRST_ANSWER_MS = 1_000;

/** A log folder that is not there although its pod is: for so long it may be about to come. */
const FOLDER_MS = 10_000;

/** Finding the place anew takes some requests that bring nothing; more than these are made with pauses. */
const FRUITLESS = 12;

/** Reads a stream from the log files on its container's node. */
export class NodeReader implements Reader {
  readonly #reading: Reading;
  readonly #logs: NodeLogs;
  readonly #parser: CriParser;
  readonly #follower: NodeFollower;
  #malformed = 0;
  #flushedAt = 0;

  /** @param position - null where nothing was read yet */
  constructor(reading: Reading, logs: NodeLogs, position: NodePosition | null) {
    this.#reading = reading;
    this.#logs = logs;
    const { sink, view } = reading;
    this.#parser = new CriParser(sink.builder, position?.place ?? FILE_START, position?.pending ?? [], () =>
      this.#flush(),
    );
    this.#follower = new NodeFollower(view.instance.restart, this.#parser, position, {
      take: () => this.#flush(),
      drop: () => sink.drop(),
    });
  }

  get position(): StreamPosition {
    return { source: "node", ...this.#follower.position };
  }

  /** True when older files had been rotated away before the first line was read. */
  get rotatedBeforeStart(): boolean {
    return this.#follower.rotatedBeforeStart;
  }

  skipGap(): void {
    this.#follower.skipGap();
  }

  finish(): void {
    this.#parser.finish();
    this.#flush();
  }

  async run(): Promise<ReadingEnd> {
    const { view, signal, admission, pause, onProblem, onReopen } = this.#reading;
    let failures = 0;
    let failingSince = 0;
    let quiet = 0;
    let goneSince: number | null = null;
    let idleSince: number | null = null;
    let fruitless = 0;
    let answered = false;
    while (!signal.aborted) {
      await admission.admission(this.#follower.inCurrentFile, signal);
      if (signal.aborted) break;
      const started = performance.now();
      let bytes = 0;
      try {
        const answer = await this.#ask(this.#follower.request());
        this.#follower.answer(answer);
        answered = true;
        if (answer.kind === "read") bytes = answer.bytes;
        if (failures > 0) onProblem(null);
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof ClusterError)) throw error;
        this.#follower.interrupted();
        this.#flush();
        failingSince = failures === 0 ? started : failingSince;
        failures += 1;
        onReopen(error.code);
        if (failures > 1) onProblem(error.message);
        const refused = error.code === "forbidden" || error.code === "invalid";
        const patience = answered ? GIVE_UP_MS : FIRST_ANSWER_MS;
        if (refused || performance.now() - failingSince > patience)
          return { kind: "unavailable", reason: error.message, refused };
        await pause(backoffMs(failures, Math.random()));
        continue;
      }
      this.#flush();
      const { state } = this.#follower;
      if (state === "lost") return { kind: "lost", certain: this.#follower.lossCertain };
      if (state === "gone") {
        goneSince ??= started;
        if (view.gone || performance.now() - goneSince > FOLDER_MS)
          return { kind: "gone", reason: goneReason(view.gone) };
        await pause(SETTLE_MS);
        continue;
      }
      goneSince = null;
      quiet = state === "idle" ? quiet + 1 : 0;
      if (state !== "idle") idleSince = null;
      else if (view.terminated) {
        if (idleSince !== null && started - idleSince >= SETTLE_MS) return this.#ended();
        idleSince ??= started;
        await pause(SETTLE_MS);
        continue;
      }
      fruitless = bytes === 0 ? fruitless + 1 : 0;
      if (this.#follower.inCurrentFile || fruitless > FRUITLESS)
        await pause(
          nextPollMs(Math.max(quiet, fruitless - FRUITLESS), performance.now() - started, bytes, Math.random()),
        );
    }
    return { kind: "aborted" };
  }

  #ended(): ReadingEnd {
    this.finish();
    return { kind: "ended" };
  }

  async #ask(request: NodeRequest): Promise<NodeAnswer> {
    const { signal, pause } = this.#reading;
    switch (request.kind) {
      case "list":
        return { kind: "names", names: await this.#logs.list(this.#folder(), signal) };
      case "wait":
        await pause(request.ms);
        return { kind: "waited" };
      case "read":
        return await this.#logs.read(this.#folder(), request, (bytes, flow) => this.#take(bytes, flow), signal);
    }
  }

  #take(bytes: Uint8Array, flow: Flow): boolean {
    const { admission, signal } = this.#reading;
    this.#parser.push(bytes);
    if (performance.now() - this.#flushedAt > FLUSH_MS) this.#flush();
    if (admission.mayRead(this.#follower.inCurrentFile)) return true;
    void admission
      .admission(this.#follower.inCurrentFile, signal)
      .then(() => (signal.aborted ? flow.stop() : flow.resume()));
    return false;
  }

  /** Lines that may have to be dropped again stay in the builder. */
  #flush(): void {
    if (this.#follower.holding) return;
    const { sink } = this.#reading;
    this.#flushedAt = performance.now();
    if (sink.builder.lines === 0) return;
    sink.count({ malformed: this.#parser.malformed - this.#malformed });
    this.#malformed = this.#parser.malformed;
    sink.flush(this.position);
  }

  #folder(): NodeLogFolder {
    const { instance, node } = this.#reading.view;
    if (node === null) throw new ClusterError("not_found", `pod ${instance.pod} is on no node`);
    return { node, instance };
  }
}

function goneReason(podGone: boolean): string {
  return podGone ? "the pod was deleted before its log had been read to the end" : "the log folder on the node is gone";
}
