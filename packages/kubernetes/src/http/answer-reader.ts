import type { Flow, TakeBytes } from "@tailrace/core";
import { decoderFor, type BodyDecoder } from "./body-decoder.ts";
import { ExchangeError, malformed } from "./failure.ts";
import type { OnHead } from "./get.ts";
import { HeadReader, type ResponseHead } from "./response-head.ts";

/** Interim answers before the answer itself: `100 Continue`, `103 Early Hints`. */
const MAX_INTERIM = 8;

/** Reads one answer to a GET from the bytes of a connection, which may be cut anywhere. */
export class AnswerReader {
  readonly #onHead: OnHead;
  readonly #flow: Flow;
  #headReader = new HeadReader();
  #interim = 0;
  #head: ResponseHead | null = null;
  #decoder: BodyDecoder | null = null;
  #take: TakeBytes | null = null;
  #closed = false;
  #extra = false;

  /** @param flow - handed on with the content */
  constructor(onHead: OnHead, flow: Flow) {
    this.#onHead = onHead;
    this.#flow = flow;
  }

  /** True once the whole answer has been read. */
  get done(): boolean {
    return this.#closed || this.#decoder?.done === true;
  }

  /** True when another request may follow on the connection. */
  get reusable(): boolean {
    if (this.#head === null || this.#closed || this.#extra || !this.done) return false;
    return this.#head.minor === 1 && !/(?:^|[,\t ])close(?:$|[,\t ])/i.test(this.#head.headers["connection"] ?? "");
  }

  /**
   * @param bytes - may be changed
   * @returns false when no more is wanted for now
   * @throws ExchangeError `malformed`, and whatever the taker throws
   */
  push(bytes: Uint8Array): boolean {
    if (this.done) {
      this.#extra ||= bytes.length > 0;
      return true;
    }
    const body = this.#decoder === null ? this.#readHead(bytes) : bytes;
    if (body === null) return true;
    const content = this.#decoder!.decode(body);
    if (this.#decoder!.extra > 0) this.#extra = true;
    return content.length === 0 || this.#take!(content, this.#flow);
  }

  /**
   * The server has closed the connection.
   *
   * @throws ExchangeError `closed` when that is not the answer's end
   */
  close(): void {
    if (this.done) return;
    if (this.#decoder?.endsAtClose !== true) {
      const what = this.#head === null ? "closed without an answer" : "the answer was cut (closed)";
      throw new ExchangeError("closed", what);
    }
    this.#closed = true;
  }

  /** @returns what follows the head; null while that has not come */
  #readHead(bytes: Uint8Array): Uint8Array | null {
    let rest = bytes;
    for (;;) {
      const read = this.#headReader.push(rest);
      if (read === null) return null;
      rest = read.rest;
      if (read.head.status >= 200) {
        this.#head = read.head;
        this.#decoder = decoderFor(read.head);
        this.#take = this.#onHead(read.head);
        return rest;
      }
      this.#interim += 1;
      if (read.head.status === 101 || this.#interim > MAX_INTERIM) throw malformed("the answer is an interim one");
      this.#headReader = new HeadReader();
      if (rest.length === 0) return null;
    }
  }
}
