import { malformed } from "./failure.ts";

export interface AnswerHead {
  status: number;
  /** By lower-case name; several of one name are joined by commas. */
  headers: Readonly<Record<string, string>>;
}

/** The status line and the headers of an HTTP/1.x answer. */
export interface ResponseHead extends AnswerHead {
  /** The digit behind `HTTP/1.`. */
  minor: 0 | 1;
}

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_HEADERS = 128;

const END = "\r\n\r\n";
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;

/** Collects an answer's head from pieces that may be cut anywhere. */
export class HeadReader {
  #text = "";

  /**
   * @returns the head and the bytes behind it, or null while its end has not come
   * @throws ExchangeError `malformed` when it is no head or exceeds 64 KiB or 128 headers
   */
  push(bytes: Uint8Array): { head: ResponseHead; rest: Uint8Array } | null {
    const known = this.#text.length;
    const room = MAX_HEAD_BYTES - known;
    this.#text += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", 0, room);
    const end = this.#text.indexOf(END, Math.max(0, known - END.length + 1));
    if (end === -1) {
      if (bytes.length >= room) throw malformed(`the answer's head exceeds ${MAX_HEAD_BYTES} bytes`);
      if (!"HTTP/1.".startsWith(this.#text.slice(0, 7))) throw malformed("the answer is not HTTP/1.1");
      return null;
    }
    const head = parseHead(this.#text.slice(0, end));
    return { head, rest: bytes.subarray(end + END.length - known) };
  }
}

/** @param text - the lines without the empty one at the end */
function parseHead(text: string): ResponseHead {
  const [first, ...lines] = text.split("\r\n");
  const status = STATUS_LINE.exec(first!);
  if (status === null) throw malformed("the answer is not HTTP/1.1");
  if (lines.length > MAX_HEADERS) throw malformed(`the answer has more than ${MAX_HEADERS} headers`);
  const headers = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const match = HEADER_LINE.exec(line);
    if (match === null) throw malformed("the answer has a malformed header");
    const name = match[1]!.toLowerCase();
    const value = match[2]!.trimEnd();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { minor: status[1] === "0" ? 0 : 1, status: Number(status[2]), headers };
}
