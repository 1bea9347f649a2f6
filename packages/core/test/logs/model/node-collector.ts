import {
  CriParser,
  FILE_START,
  NodeFollower,
  type ChunkBuilder,
  type NodePosition,
  type NodeRequest,
} from "../../../src/index.ts";
import { FileServer } from "./file-server.ts";
import { GarbagePool } from "./pool.ts";
import type { Random } from "./random.ts";
import type { StreamStore } from "./store.ts";
import type { World } from "./world.ts";

/** More requests than any history needs. */
const MOST_REQUESTS = 1500;

/** How often an idle follower of an ended container is asked again. */
const LAST_LOOKS = 5;

/** Collects a stream from the node's files of a model, with faults, as a collector will. */
export class NodeCollector {
  readonly store: StreamStore<string>;
  /** True when the follower told that files were rotated before its first. */
  rotatedBeforeStart = false;
  /** The folder's files when the line behind a gap was stored, by that line's seq. */
  readonly filesAtGaps = new Map<number, number[]>();
  /** Lines of the files that were read as no entries. */
  malformed = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #server: FileServer;
  readonly #pool = new GarbagePool();
  #builder!: ChunkBuilder;
  #parser!: CriParser;
  #follower!: NodeFollower;
  #faults: number;

  constructor(world: World, random: Random, store: StreamStore<string>) {
    this.#world = world;
    this.#random = random;
    this.store = store;
    this.#server = new FileServer(world, random);
    this.#faults = world.history.faults;
    this.#restart();
  }

  /** Reads until the container has ended and nothing more comes. */
  run(): void {
    this.#follow(() => false);
    this.#commit();
    // An idle follower holds no lines, so what the end adds may be taken.
    this.#parser.finish();
    this.store.commit(this.#builder, encode(this.#follower.position));
    this.store.close();
    this.malformed += this.#parser.malformed;
  }

  /** Reads so many answers and then, from there on, until nothing has to be dropped any more. */
  runFor(requests: number): void {
    this.#follow((done) => done >= requests && !this.#follower.holding);
    this.#commit();
  }

  #follow(enough: (requests: number) => boolean): void {
    let idle = 0;
    for (let requests = 0; idle < LAST_LOOKS && !enough(requests); requests += 1) {
      if (requests === MOST_REQUESTS) throw new Error(`the reading comes to no end (${this.#follower.state})`);
      this.#letPass();
      this.#once(this.#follower.request());
      this.rotatedBeforeStart ||= this.#follower.rotatedBeforeStart;
      if (this.#follower.state === "lost") this.#skipGap();
      idle = this.#world.ended && this.#follower.state === "idle" ? idle + 1 : 0;
      if (this.#random.chance(0.3)) this.#commit();
      if (this.#faults > 0 && this.#random.chance(0.03)) {
        this.#faults -= 1;
        this.#restart();
        idle = 0;
      }
    }
  }

  #once(request: NodeRequest): void {
    if (request.kind === "wait") {
      this.#world.pass(request.ms);
      return this.#follower.answer({ kind: "waited" });
    }
    const fails = this.#faults > 0 && this.#random.chance(0.1);
    if (fails) this.#faults -= 1;
    if (request.kind === "read") return this.#read(request, fails);
    if (fails) return this.#follower.interrupted();
    this.#follower.answer(this.#server.list());
  }

  #read(request: Extract<NodeRequest, { kind: "read" }>, fails: boolean): void {
    const opened = this.#server.open(request);
    if (opened.kind !== "open") return this.#follower.answer(opened);
    const { bytes } = opened;
    const until = fails ? this.#random.below(bytes.length + 1) : bytes.length;
    const pieceSize = this.#random.pick([50, 700, 16_384, 65_536, 3_000_000]);
    for (let at = 0; at < until;) {
      const size = Math.min(until - at, this.#random.between(1, Math.max(pieceSize, bytes.length / 30)));
      const piece = bytes.slice(at, at + size);
      this.#parser.push(piece);
      // The memory is used again.
      piece.fill(0x0a);
      at += size;
      // While an answer comes, time passes.
      if (this.#random.chance(0.1)) this.#world.step();
      if (this.#random.chance(0.1)) this.#commit();
    }
    if (fails) this.#follower.interrupted();
    else this.#follower.answer({ kind: "read", bytes: bytes.length });
  }

  #skipGap(): void {
    this.#commit();
    this.store.addGap(this.#builder.nextSeq + this.#builder.lines, this.#follower.lossCertain);
    this.#follower.skipGap();
  }

  /** Lines, and where to go on behind them, are stored together. */
  #commit(): void {
    // A gap is stored with the line behind it, and so is the place behind it.
    if (this.store.gapPending && (this.#follower.holding || this.#builder.lines === 0)) return;
    if (this.#follower.holding) {
      this.store.position = encode(this.#follower.position);
      return;
    }
    const { gaps } = this.store;
    const before = gaps.length;
    this.store.commit(this.#builder, encode(this.#follower.position));
    const { current, rotated } = this.#world.folder;
    const files = [...rotated.map(({ file }) => file.number), ...(current === null ? [] : [current.number])];
    for (const { seq } of gaps.slice(before)) this.filesAtGaps.set(seq, files);
  }

  /** As after a crash: what was not committed is gone. */
  #restart(): void {
    if (this.#parser !== undefined) this.malformed += this.#parser.malformed;
    this.#builder = this.store.builder(this.#pool, true);
    const position = this.store.position === null ? null : decode(this.store.position);
    const { place, pending } = position ?? { place: FILE_START, pending: [] };
    this.#parser = new CriParser(this.#builder, place, pending, () => this.#commit());
    this.#follower = new NodeFollower(0, this.#parser, position, {
      take: () => this.#commit(),
      drop: () => this.#builder.discard(),
    });
  }

  #letPass(): void {
    const { slowness } = this.#world.history;
    const steps = this.#random.chance(slowness * 0.3) ? this.#random.below(60) : this.#random.pick([0, 0, 1, 1, 2, 5]);
    for (let step = 0; step < steps; step += 1) this.#world.step();
    this.#world.pass(this.#random.below(30));
  }
}

function encode({ pending, ...position }: NodePosition): string {
  const lines = pending.map((line) => ({ ...line, bytes: Buffer.from(line.bytes).toString("base64") }));
  return JSON.stringify({ ...position, pending: lines });
}

function decode(text: string): NodePosition {
  const { pending, ...position } = JSON.parse(text) as Omit<NodePosition, "pending"> & {
    pending: { stderr: boolean; seconds: number; nanos: number; bytes: string }[];
  };
  const lines = pending.map((line) => ({ ...line, bytes: new Uint8Array(Buffer.from(line.bytes, "base64")) }));
  return { ...position, pending: lines };
}
