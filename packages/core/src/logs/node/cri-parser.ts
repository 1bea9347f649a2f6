import { CHUNK_BYTES, type ChunkBuilder } from "../chunk/builder.ts";
import { STDERR, UNFINISHED } from "../chunk/chunk.ts";
import { copyLine } from "../lines/copy-line.ts";
import { Hash64 } from "../lines/hash.ts";
import { MAX_LINE_BYTES } from "../lines/limits.ts";
import { StampReader } from "../lines/stamp.ts";
import { entryRuns, INPUT_BYTES } from "./entry-runs.ts";
import { LineJoiner, type PendingLine } from "./line-joiner.ts";
import { withRoom } from "../lines/with-room.ts";

/** A place in a log file behind a whole entry, with what is needed to recognise it. */
export interface FilePlace {
  /** Bytes from the file's beginning; everything before has been read. */
  offset: number;
  /** Length of the last entry before, its newline included; 0 at the file's beginning. */
  entryBytes: number;
  /** {@link Hash64} of that entry; empty at the file's beginning. */
  entryHash: string;
}

export const FILE_START: FilePlace = { offset: 0, entryBytes: 0, entryHash: "" };

/** What surely holds an entry's head: time, name of the standard stream, tag. */
const HEAD_BYTES = 64;

/** From so many bytes on they are worth being copied to where runs of entries are read. */
const RUN_BYTES = 1024;

const NEWLINE = 0x0a;
const SPACE = 0x20;
const STD = { stdo: 0x7374646f, stde: 0x73746465, ut: 0x7574, rr: 0x7272 } as const;
const TAG = { full: 0x46, partial: 0x50, separator: 0x3a } as const;

/**
 * Reads a container's log file as the runtime writes it (Kubernetes, CRI logging format): entries
 * `2026-11-23T16:22:29.24Z stdout F text`, where `P` says that the line goes on in a later entry of the same standard
 * stream. A line goes to the builder when its last entry has come.
 *
 * What is no entry is kept as a line of its own under the time of the one before, and counted.
 */
export class CriParser {
  /** Lines of the file that were no entries. */
  malformed = 0;
  readonly #builder: ChunkBuilder;
  readonly #onFull: () => void;
  readonly #stamp = new StampReader();
  #joiner: LineJoiner;
  #place: FilePlace;
  /** Bytes of the file up to the end of the last whole entry. */
  #offset: number;
  #lastEntry: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  /** 0 while {@link #place} is up to date. */
  #lastEntryBytes = 0;
  /** The beginning of an entry whose end has not come yet. */
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  #restBytes = 0;
  #stderr = false;
  #partial = false;
  #text = 0;
  #seconds = 0;
  #nanos = 0;

  /** @param onFull - called between two entries when the builder's chunk must be taken */
  constructor(builder: ChunkBuilder, place: FilePlace, pending: readonly PendingLine[], onFull: () => void) {
    this.#builder = builder;
    this.#onFull = onFull;
    this.#joiner = new LineJoiner(pending);
    this.#offset = place.offset;
    this.#place = place;
  }

  /** The place behind the last whole entry. */
  get place(): FilePlace {
    if (this.#lastEntryBytes > 0) {
      const hash = new Hash64().update(new DataView(this.#lastEntry.buffer), 0, this.#lastEntryBytes);
      this.#place = { offset: this.#offset, entryBytes: this.#lastEntryBytes, entryHash: hash.hex() };
      this.#lastEntryBytes = 0;
    }
    return this.#place;
  }

  /** Copies of the lines whose end has not come yet. */
  get pending(): PendingLine[] {
    return this.#joiner.any ? this.#joiner.pending() : [];
  }

  /** Continues at a place of another file, or behind the last whole entry once more; the bytes of a half entry are forgotten. */
  moveTo(place: FilePlace): void {
    this.#place = place;
    this.#offset = place.offset;
    this.#lastEntryBytes = 0;
    this.#restBytes = 0;
  }

  /** Takes other lines for the unfinished ones. */
  replacePending(pending: readonly PendingLine[]): void {
    this.#joiner = new LineJoiner(pending);
  }

  /** Takes the file's next bytes; they may be overwritten afterwards. */
  push(bytes: Uint8Array): void {
    let at = 0;
    if (this.#restBytes > 0) {
      const newline = bytes.indexOf(NEWLINE);
      at = newline === -1 ? bytes.length : newline + 1;
      this.#keep(bytes, 0, at);
      if (newline === -1) return;
      const whole = this.#restBytes;
      this.#restBytes = 0;
      this.#entries(this.#rest, new DataView(this.#rest.buffer), 0, whole);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    at = this.#entries(bytes, view, at, bytes.length);
    if (at < bytes.length) this.#keep(bytes, at, bytes.length);
  }

  /** The container has ended: what is pending becomes lines without a newline. */
  finish(): void {
    for (const stderr of [false, true])
      if (this.#joiner.isOpen(stderr)) this.#put(this.#joiner.take(stderr), UNFINISHED);
  }

  /** @returns the offset of the first entry that is not whole */
  #entries(bytes: Uint8Array, view: DataView, from: number, end: number): number {
    const builder = this.#builder;
    const runs = end - from >= RUN_BYTES && end <= INPUT_BYTES ? entryRuns() : null;
    runs?.load(bytes.subarray(0, end));
    let at = from;
    let last = -1;
    for (;;) {
      const { second } = this.#stamp;
      const nanos = runs === null || builder.full || this.#joiner.any ? -1 : builder.nanosIn(second.seconds);
      const run = nanos === -1 ? null : runs!.read(at, end, CHUNK_BYTES - builder.end, second, nanos);
      if (run !== null) {
        builder.run(run);
        this.#seconds = second.seconds;
        this.#nanos = run.lastNanos;
        this.#offset += run.next - at;
        last = run.lastStart;
        at = run.next;
      }
      const start = at;
      if (end - start < HEAD_BYTES && !hasNewline(bytes, start, end)) break;
      let next: number;
      if (this.#readHead(view, start, Math.min(end, start + HEAD_BYTES))) {
        if (builder.full || builder.tooFar(this.#seconds)) {
          this.#remember(bytes, last, start);
          this.#onFull();
        }
        builder.reserve(end - this.#text);
        const length = copyLine(view, this.#text, end, builder.view, builder.end);
        if (length === -1) break;
        next = this.#text + length + 1;
        if (this.#partial || this.#joiner.any) this.#join(length);
        else builder.line(builder.end + length, this.#seconds, this.#nanos, this.#stderr ? STDERR : 0);
      } else {
        const newline = bytes.indexOf(NEWLINE, start);
        if (newline === -1 || newline >= end) break;
        next = newline + 1;
        this.malformed += 1;
        this.#put(
          { stderr: false, seconds: this.#seconds, nanos: this.#nanos, bytes: bytes.subarray(start, newline) },
          0,
        );
      }
      this.#offset += next - start;
      last = start;
      at = next;
    }
    this.#remember(bytes, last, at);
    return at;
  }

  /** Reads everything before an entry's text. The range has the whole head, or the whole entry. */
  #readHead(view: DataView, start: number, end: number): boolean {
    const stamp = this.#stamp;
    if (!stamp.read(view, start, end)) return false;
    const at = stamp.end;
    if (at + 10 > end || view.getUint8(at) !== SPACE || view.getUint8(at + 7) !== SPACE) return false;
    const name = view.getInt32(at + 1);
    const rest = view.getUint16(at + 5);
    if (name === STD.stdo && rest === STD.ut) this.#stderr = false;
    else if (name === STD.stde && rest === STD.rr) this.#stderr = true;
    else return false;
    const tag = view.getUint8(at + 8);
    if (tag !== TAG.full && tag !== TAG.partial) return false;
    let space = at + 9;
    if (view.getUint8(space) === TAG.separator) space = endOfTags(view, space, end);
    if (space >= end || view.getUint8(space) !== SPACE) return false;
    this.#partial = tag === TAG.partial;
    this.#text = space + 1;
    this.#seconds = stamp.seconds;
    this.#nanos = stamp.nanos;
    return true;
  }

  /** The text that lies behind the builder's end belongs to a line of several entries, or stands among them. */
  #join(length: number): void {
    const builder = this.#builder;
    const stderr = this.#stderr;
    if (!this.#partial && !this.#joiner.isOpen(stderr)) {
      builder.line(builder.end + length, this.#seconds, this.#nanos, stderr ? STDERR : 0);
      return;
    }
    const text = builder.bytes.subarray(builder.end, builder.end + length);
    this.#joiner.append(stderr, this.#seconds, this.#nanos, text);
    for (let front = this.#joiner.overflow(stderr); front !== null; front = this.#joiner.overflow(stderr))
      this.#put(front, UNFINISHED);
    if (!this.#partial) this.#put(this.#joiner.take(stderr), 0);
  }

  #put({ stderr, seconds, nanos, bytes }: PendingLine, flags: number): void {
    const builder = this.#builder;
    builder.reserve(bytes.length);
    builder.bytes.set(bytes, builder.end);
    builder.line(builder.end + bytes.length, seconds, nanos, flags | (stderr ? STDERR : 0));
  }

  /** Keeps the last whole entry, by which the place is recognised. */
  #remember(bytes: Uint8Array, start: number, end: number): void {
    if (start === -1) return;
    const length = end - start;
    if (length > this.#lastEntry.length) this.#lastEntry = new Uint8Array(length * 2);
    this.#lastEntry.set(bytes.subarray(start, end));
    this.#lastEntryBytes = length;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#restBytes + end - start;
    this.#rest = withRoom(this.#rest, this.#restBytes, needed);
    this.#rest.set(bytes.subarray(start, end), this.#restBytes);
    this.#restBytes = needed;
    if (needed > MAX_LINE_BYTES) this.#giveUpOnRest();
  }

  /** So long an entry is none (a block of NULs after a crash of the node, for one). */
  #giveUpOnRest(): void {
    this.malformed += 1;
    const bytes = this.#rest.subarray(0, this.#restBytes);
    this.#put({ stderr: false, seconds: this.#seconds, nanos: this.#nanos, bytes }, UNFINISHED);
    this.#offset += this.#restBytes;
    this.#remember(this.#rest, 0, this.#restBytes);
    this.#restBytes = 0;
  }
}

/** More tags than the first are separated by colons; no runtime writes any yet. */
function endOfTags(view: DataView, start: number, end: number): number {
  for (let at = start; at < end; at += 1) {
    const byte = view.getUint8(at);
    if (byte === SPACE) return at;
    if (byte === NEWLINE) break;
  }
  return end;
}

function hasNewline(bytes: Uint8Array, start: number, end: number): boolean {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline !== -1 && newline < end;
}
