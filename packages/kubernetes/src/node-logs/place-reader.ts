import { type FilePlace, Hash64 } from "@tailrace/core";

const NOTHING = new Uint8Array(0);

/** Finds what comes behind a place in a file's bytes, and makes sure that the entry before it is the one that is meant. */
export class PlaceReader {
  /** Bytes behind the place that were given so far. */
  bytes = 0;
  readonly #place: FilePlace;
  readonly #limit: number;
  /** Bytes of the file before the entry that are yet to come. */
  #before: number;
  readonly #entry: Uint8Array<ArrayBuffer>;
  #entryBytes = 0;
  #state: "before" | "reading" | "changed";
  #excess = false;

  /**
   * @param from - the offset in the file of what is pushed first, at most that of the entry
   * @param limit - bytes behind the place that are wanted
   */
  constructor(place: FilePlace, from: number, limit: number | null) {
    this.#place = place;
    this.#limit = limit ?? Infinity;
    this.#before = place.offset - place.entryBytes - from;
    this.#entry = new Uint8Array(place.entryBytes);
    this.#state = place.offset - from === 0 ? "reading" : "before";
  }

  /** True when what came before the place is not what is meant, or has not come at all. */
  get changed(): boolean {
    return this.#state !== "reading";
  }

  /** True when nothing more is wanted of what is still coming. */
  get done(): boolean {
    return this.#state === "changed" || this.#excess;
  }

  /** @returns what of the next bytes lies behind the place, within the limit; a part of the same memory */
  push(bytes: Uint8Array): Uint8Array {
    const rest = this.#state === "before" ? this.#check(bytes) : bytes;
    if (this.#state !== "reading") return NOTHING;
    const given = rest.subarray(0, this.#limit - this.bytes);
    this.bytes += given.length;
    this.#excess ||= given.length < rest.length;
    return given;
  }

  #check(bytes: Uint8Array): Uint8Array {
    const skipped = Math.min(bytes.length, this.#before);
    this.#before -= skipped;
    const part = bytes.subarray(skipped, skipped + this.#entry.length - this.#entryBytes);
    this.#entry.set(part, this.#entryBytes);
    this.#entryBytes += part.length;
    if (this.#before === 0 && this.#entryBytes === this.#entry.length)
      this.#state = this.#isMeant() ? "reading" : "changed";
    return bytes.subarray(skipped + part.length);
  }

  #isMeant(): boolean {
    const { entryBytes, entryHash } = this.#place;
    return entryBytes === 0 || new Hash64().update(new DataView(this.#entry.buffer), 0, entryBytes).hex() === entryHash;
  }
}
