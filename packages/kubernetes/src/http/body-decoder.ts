import { ChunkedDecoder } from "./chunked-decoder.ts";
import { malformed } from "./failure.ts";
import type { ResponseHead } from "./response-head.ts";

/** Finds an answer's content in the bytes behind its head. */
export interface BodyDecoder {
  /** True once the body's end has come. */
  readonly done: boolean;
  /** True when the connection's end is the body's end. */
  readonly endsAtClose: boolean;
  /** Bytes behind the body's end in what was given last. */
  readonly extra: number;
  /**
   * @param bytes - the next ones, which it may move about
   * @returns the content in them, a part of the same memory
   */
  decode(bytes: Uint8Array): Uint8Array;
}

/**
 * How an answer to a GET says where its body ends (RFC 9112, 6.3).
 *
 * @throws ExchangeError `malformed` where it says so in two ways, or in a way that is not known here
 */
export function decoderFor({ status, minor, headers }: ResponseHead): BodyDecoder {
  if (status === 204 || status === 304) return new LengthDecoder(0);
  const coding = headers["transfer-encoding"];
  const length = headers["content-length"];
  if (coding !== undefined) {
    if (length !== undefined || minor === 0 || coding.toLowerCase() !== "chunked")
      throw malformed("the answer's Transfer-Encoding is not understood");
    return new ChunkedDecoder();
  }
  return length === undefined ? new UntilCloseDecoder() : new LengthDecoder(contentLength(length));
}

/** Equal lengths in several headers are one. */
function contentLength(header: string): number {
  const [first, ...others] = header.split(",").map((value) => value.trim());
  if (!/^\d{1,15}$/.test(first!) || others.some((value) => value !== first))
    throw malformed("the answer's Content-Length is malformed");
  return Number(first);
}

class LengthDecoder implements BodyDecoder {
  readonly endsAtClose = false;
  extra = 0;
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  decode(bytes: Uint8Array): Uint8Array {
    this.extra = Math.max(0, bytes.length - this.#left);
    const content = this.extra === 0 ? bytes : bytes.subarray(0, this.#left);
    this.#left -= content.length;
    return content;
  }
}

class UntilCloseDecoder implements BodyDecoder {
  readonly done = false;
  readonly endsAtClose = true;
  readonly extra = 0;

  decode(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
}
