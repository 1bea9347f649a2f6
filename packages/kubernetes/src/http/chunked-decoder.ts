import type { BodyDecoder } from "./body-decoder.ts";
import { malformed } from "./failure.ts";

/** Up to 2^52 - 1: more than that is no size that can be meant. */
const MAX_SIZE_DIGITS = 13;
const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

type State =
  | "size"
  | "extension"
  | "size LF"
  | "data"
  | "data CR"
  | "data LF"
  | "trailer"
  | "trailer line"
  | "trailer LF"
  | "last LF"
  | "done";

/** Reads the chunked transfer coding (RFC 9112, 7.1). Extensions and trailers are read over. */
export class ChunkedDecoder implements BodyDecoder {
  readonly endsAtClose = false;
  extra = 0;
  #state: State = "size";
  /** Bytes of the chunk that have not come yet; while its size is read, the size so far. */
  #left = 0;
  /** Digits of the size, or bytes of the extension or the trailers. */
  #count = 0;

  get done(): boolean {
    return this.#state === "done";
  }

  /** The content of several chunks is moved together: a server that flushes each line gives many small ones at once. */
  decode(bytes: Uint8Array): Uint8Array {
    let from = 0;
    let to = 0;
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      if (this.#state !== "data") {
        this.#state = this.#next(this.#state, bytes[at]!);
        at += 1;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      if (from === to) from = at;
      else bytes.copyWithin(to, at, end);
      to = from === at ? end : to + end - at;
      this.#left -= end - at;
      at = end;
      if (this.#left === 0) this.#state = "data CR";
    }
    this.extra = bytes.length - at;
    return bytes.subarray(from, to);
  }

  #next(state: Exclude<State, "data" | "done">, byte: number): State {
    switch (state) {
      case "size":
        return this.#size(byte);
      case "extension":
        if (byte === CR) return "size LF";
        this.#bound(MAX_EXTENSION_BYTES, "a chunk's extension");
        return "extension";
      case "size LF":
        expect(byte, LF);
        this.#count = 0;
        return this.#left === 0 ? "trailer" : "data";
      case "data CR":
        expect(byte, CR);
        return "data LF";
      case "data LF":
        expect(byte, LF);
        return "size";
      case "trailer":
        if (byte === CR) return "last LF";
        this.#bound(MAX_TRAILER_BYTES, "the trailer");
        return "trailer line";
      case "trailer line":
        if (byte === CR) return "trailer LF";
        this.#bound(MAX_TRAILER_BYTES, "the trailer");
        return "trailer line";
      case "trailer LF":
        expect(byte, LF);
        return "trailer";
      case "last LF":
        expect(byte, LF);
        return "done";
    }
  }

  #size(byte: number): State {
    const digit = hexDigit(byte);
    if (digit !== -1) {
      this.#bound(MAX_SIZE_DIGITS, "a chunk's size");
      this.#left = this.#left * 16 + digit;
      return "size";
    }
    if (this.#count === 0) throw malformed("a chunk has no size");
    this.#count = 0;
    if (byte === CR) return "size LF";
    if (byte === SEMICOLON || byte === 0x20 || byte === 0x09) return "extension";
    throw malformed("a chunk's size is no number");
  }

  #bound(limit: number, what: string): void {
    this.#count += 1;
    if (this.#count > limit) throw malformed(`${what} is too long`);
  }
}

function expect(byte: number, wanted: number): void {
  if (byte !== wanted) throw malformed("the chunks are malformed");
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
