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
import { nextPollMs } from "./poll-pace.ts";
import { GIVE_UP_MS, SETTLE_MS, type Reader, type Reading, type ReadingEnd } from "./reading.ts";
import { Trouble } from "./trouble.ts";

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
  #heardAt = 0;
  /** True once the node has answered, also to another process. */
  #answered: boolean;
  #goneSince: number | null = null;
  #idleSince: number | null = null;
  /** Polls in a row that found nothing new, and requests in a row without a byte. */
  #quiet = 0;
  #fruitless = 0;

  /** @param position - null where nothing was read yet */
  constructor(reading: Reading, logs: NodeLogs, position: NodePosition | null) {
    this.#reading = reading;
    this.#logs = logs;
    this.#answered = position !== null;
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
    const { signal, admission } = this.#reading;
    const trouble = new Trouble(this.#reading);
    while (!signal.aborted) {
      await admission.admission(this.#follower.inCurrentFile, signal);
      if (signal.aborted) break;
      const started = performance.now();
      const answer = await this.#once();
      if (signal.aborted) break;
      if (answer instanceof ClusterError) {
        const { code, message: reason } = answer;
        const refused = code === "forbidden" || code === "invalid";
        const patience = this.#answered ? GIVE_UP_MS : FIRST_ANSWER_MS;
        const end = await trouble.failed({ code, reason, refused }, Math.max(started, this.#heardAt), patience);
        if (end !== null) return end;
        continue;
      }
      trouble.over();
      const end = await this.#goOn(started, answer.kind === "read" ? answer.bytes : 0);
      if (end !== null) return end;
    }
    return { kind: "aborted" };
  }

  /** One request. What it brought is put on its way, also when it failed in the middle. */
  async #once(): Promise<NodeAnswer | ClusterError> {
    try {
      const answer = await this.#ask(this.#follower.request());
      this.#follower.answer(answer);
      this.#answered = true;
      return answer;
    } catch (error) {
      if (!(error instanceof ClusterError) && !this.#reading.signal.aborted) throw error;
      this.#follower.interrupted();
      return error as ClusterError;
    } finally {
      this.#flush();
    }
  }

  /** Resolves with the reading's end, or with null when it is time for the next request. */
  async #goOn(started: number, bytes: number): Promise<ReadingEnd | null> {
    const { view, pause } = this.#reading;
    const { state, inCurrentFile } = this.#follower;
    if (state === "lost") return { kind: "lost", certain: this.#follower.lossCertain };
    this.#goneSince = state === "gone" ? (this.#goneSince ?? started) : null;
    this.#idleSince = state === "idle" && view.terminated ? (this.#idleSince ?? started) : null;
    if (this.#goneSince !== null) {
      if (view.gone || performance.now() - this.#goneSince > FOLDER_MS)
        return { kind: "gone", reason: goneReason(view.gone) };
      await pause(SETTLE_MS);
    } else if (this.#idleSince !== null) {
      if (started - this.#idleSince >= SETTLE_MS) return this.#ended();
      await pause(SETTLE_MS);
    } else {
      this.#quiet = state === "idle" ? this.#quiet + 1 : 0;
      this.#fruitless = bytes === 0 ? this.#fruitless + 1 : 0;
      const vain = this.#fruitless - FRUITLESS;
      const took = performance.now() - started;
      if (inCurrentFile || vain > 0) await pause(nextPollMs(Math.max(this.#quiet, vain), took, bytes, Math.random()));
    }
    return null;
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
    this.#heardAt = performance.now();
    if (this.#heardAt - this.#flushedAt > FLUSH_MS) this.#flush();
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
