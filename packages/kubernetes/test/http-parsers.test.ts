import type { Flow } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerReader } from "../src/http/answer-reader.ts";
import { decoderFor } from "../src/http/body-decoder.ts";
import { ChunkedDecoder } from "../src/http/chunked-decoder.ts";
import type { AnswerHead, ResponseHead } from "../src/http/response-head.ts";
import { HeadReader } from "../src/http/response-head.ts";
import { requestHead } from "../src/http/request-head.ts";
import { chunkedAnswer, plainAnswer } from "./support/raw-server.ts";

const flow: Flow = { resume: () => undefined, stop: () => undefined };

/** Cuts bytes at places that are given as fractions. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  return ends.map((end) => {
    // A copy: what reads it may move bytes about.
    const piece = Buffer.from(bytes.subarray(start, end));
    start = end;
    return piece;
  });
}

const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
const content = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

function readHead(pieces: readonly Buffer[]): { head: ResponseHead; rest: Buffer } | null {
  const reader = new HeadReader();
  for (const [index, piece] of pieces.entries()) {
    const read = reader.push(piece);
    if (read !== null) return { head: read.head, rest: Buffer.concat([read.rest, ...pieces.slice(index + 1)]) };
  }
  return null;
}

describe("an answer's head", () => {
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
  const value = fc.stringMatching(/^(?:[\x21-\x7e](?:[\x20-\x7e]{0,20}[\x21-\x7e])?)?$/);
  const headers = fc.dictionary(token, value, { maxKeys: 8, noNullPrototype: true });

  test("is read wherever it is cut", () => {
    const property = fc.property(
      fc.integer({ min: 100, max: 999 }),
      headers,
      content,
      places,
      (status, given, rest, at) => {
        const lines = Object.entries(given).map(([name, text]) => `${name.toUpperCase()}: \t${text} \r\n`);
        const bytes = Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Fine\r\n${lines.join("")}\r\n`, "latin1"), rest]);
        const read = readHead(cut(bytes, at));
        expect({ ...read!.head.headers }).toEqual(given);
        expect(read!.head).toMatchObject({ status, minor: 1 });
        expect(read!.rest.equals(rest)).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  test("joins headers of one name, and knows no header that was not sent", () => {
    const { head } = readHead([Buffer.from("HTTP/1.0 204\r\nA: 1\r\na: 2\r\n\r\n")])!;
    expect(head).toMatchObject({ status: 204, minor: 0 });
    expect(head.headers["a"]).toBe("1, 2");
    expect(head.headers["constructor"]).toBeUndefined();
  });

  test.each([
    ["another protocol", "220 mail.example ESMTP\r\n\r\n"],
    ["another protocol without an end", "SSH-2.0-OpenSSH"],
    ["HTTP/2", "HTTP/2 200 OK\r\n\r\n"],
    ["no status", "HTTP/1.1 OK\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 99 OK\r\n\r\n"],
    ["a header without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n"],
    ["a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\nA: 1\r\n b\r\n\r\n"],
    ["a bare line feed", "HTTP/1.1 200 OK\r\nA: 1\nB: 2\r\n\r\n"],
    ["a NUL", "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"],
    ["too many headers", `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(129)}\r\n`],
    ["a head without an end", `HTTP/1.1 200 OK\r\nA: ${"x".repeat(64 * 1024)}`],
  ])("%s is malformed, wherever it is cut", (_name, text) => {
    fc.assert(
      fc.property(places, (at) => {
        expect(() => readHead(cut(Buffer.from(text, "latin1"), at))).toThrow(
          expect.objectContaining({ reason: "malformed" }),
        );
      }),
      { numRuns: 50 },
    );
  });
});

function decode(pieces: readonly Buffer[]): { body: Buffer; done: boolean; extra: number } {
  const decoder = new ChunkedDecoder();
  const parts: Buffer[] = [];
  let extra = 0;
  for (const piece of pieces) {
    if (decoder.done) extra += piece.length;
    else {
      parts.push(Buffer.from(decoder.decode(piece)));
      extra += decoder.extra;
    }
  }
  return { body: Buffer.concat(parts), done: decoder.done, extra };
}

describe("the chunked coding", () => {
  const extension = fc.stringMatching(/^(?:[ \t]?;[\x20-\x7e]{0,20})?$/);
  const chunk = fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }), extension, upper: fc.boolean() });
  const trailer = fc.stringMatching(/^(?:[a-z]{1,8}: [\x20-\x7e]{0,20}\r\n){0,3}$/);

  test("gives the content wherever it is cut, and knows its end", () => {
    const property = fc.property(
      fc.array(chunk, { maxLength: 20 }),
      trailer,
      content,
      places,
      (chunks, end, after, at) => {
        const wire = chunks.map((one) => {
          const size = one.bytes.length.toString(16);
          const line = `${one.upper ? size.toUpperCase() : size}${one.extension}\r\n`;
          return Buffer.concat([Buffer.from(line), one.bytes, Buffer.from("\r\n")]);
        });
        const whole = Buffer.concat([...wire, Buffer.from(`0\r\n${end}\r\n`)]);
        const { body, done, extra } = decode(cut(Buffer.concat([whole, after]), at));
        expect(done).toBe(true);
        expect(extra).toBe(after.length);
        expect(body.equals(Buffer.concat(chunks.map(({ bytes }) => bytes)))).toBe(true);
        const cutShort = decode(cut(whole.subarray(0, -1), at));
        expect(cutShort.done).toBe(false);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  test.each([
    ["no size", "\r\nabc"],
    ["a size that is no number", "xyz\r\n"],
    ["a negative size", "-1\r\n"],
    ["a size with a prefix", "0x1\r\na\r\n0\r\n\r\n"],
    ["a size that is too large", `${"f".repeat(14)}\r\n`],
    ["a bare line feed behind the size", "1\na\r\n0\r\n\r\n"],
    ["a chunk that is longer than its size", "1\r\nab\r\n0\r\n\r\n"],
    ["an endless extension", `1;${"x".repeat(5000)}`],
    ["an endless trailer", `0\r\n${"a: b\r\n".repeat(5000)}`],
  ])("%s is malformed, wherever it is cut", (_name, text) => {
    fc.assert(
      fc.property(places, (at) => {
        expect(() => decode(cut(Buffer.from(text), at))).toThrow(expect.objectContaining({ reason: "malformed" }));
      }),
      { numRuns: 50 },
    );
  });
});

describe("where a body ends", () => {
  const head = (headers: Record<string, string>, status = 200, minor: 0 | 1 = 1): ResponseHead => ({
    status,
    minor,
    headers,
  });

  test.each([
    ["nowhere but at the close", head({}), { done: false, endsAtClose: true }],
    ["after its length", head({ "content-length": "5" }), { done: false, endsAtClose: false }],
    ["after equal lengths", head({ "content-length": "5, 5" }), { done: false, endsAtClose: false }],
    ["at once", head({ "content-length": "0" }), { done: true, endsAtClose: false }],
    ["at once after 204", head({ "content-length": "5" }, 204), { done: true, endsAtClose: false }],
    ["at once after 304", head({}, 304), { done: true, endsAtClose: false }],
    ["after its chunks", head({ "transfer-encoding": "Chunked" }), { done: false, endsAtClose: false }],
  ])("%s", (_name, given, expected) => {
    const { done, endsAtClose } = decoderFor(given);
    expect({ done, endsAtClose }).toEqual(expected);
  });

  test.each([
    ["two lengths", head({ "content-length": "5, 6" })],
    ["a negative length", head({ "content-length": "-1" })],
    ["a length that is no number", head({ "content-length": "5x" })],
    ["a length and chunks", head({ "content-length": "5", "transfer-encoding": "chunked" })],
    ["another coding", head({ "transfer-encoding": "gzip, chunked" })],
    ["chunks in HTTP/1.0", head({ "transfer-encoding": "chunked" }, 200, 0)],
  ])("%s is malformed", (_name, given) => {
    expect(() => decoderFor(given)).toThrow(expect.objectContaining({ reason: "malformed" }));
  });
});

describe("an answer", () => {
  function read(pieces: readonly Buffer[], closed: boolean) {
    const parts: Buffer[] = [];
    let head: AnswerHead | undefined;
    const reader = new AnswerReader((given) => {
      head = given;
      return (bytes) => {
        parts.push(Buffer.from(bytes));
        return true;
      };
    }, flow);
    for (const piece of pieces) reader.push(piece);
    if (closed) reader.close();
    return { status: head?.status, body: Buffer.concat(parts), done: reader.done, reusable: reader.reusable };
  }
  const interim = Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");

  test("is the same wherever it is cut, with interim answers before it", () => {
    const property = fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { maxLength: 8 }),
      fc.constantFrom("length", "chunked", "close" as const),
      fc.integer({ min: 0, max: 3 }),
      places,
      (parts, how, interims, at) => {
        const body = Buffer.concat(parts);
        const answer = {
          length: plainAnswer(body),
          chunked: chunkedAnswer(parts.map((part) => Buffer.from(part))),
          close: Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), body]),
        }[how];
        const bytes = Buffer.concat([...Array<Buffer>(interims).fill(interim), answer]);
        const result = read(cut(bytes, at), how === "close");
        expect(result).toMatchObject({ status: 200, done: true, reusable: how !== "close" });
        expect(result.body.equals(body)).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  test("that is cut anywhere before its end is never a whole one", () => {
    for (const answer of [plainAnswer("0123456789"), chunkedAnswer(["01234", "56789"])])
      for (let length = 0; length < answer.length; length += 1)
        expect(() => read([Buffer.from(answer.subarray(0, length))], true)).toThrow(
          expect.objectContaining({ reason: "closed" }),
        );
  });

  test.each([
    ["closes", "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\na"],
    ["closes among others", "HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 1\r\n\r\na"],
    ["is of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"],
    ["is followed by something", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"],
  ])("whose connection %s is the last one on it", (_name, text) => {
    const whole = read([Buffer.from(text)], false);
    const cutBeforeLast = read([Buffer.from(text.slice(0, -1)), Buffer.from(text.slice(-1))], false);
    for (const result of [whole, cutBeforeLast]) expect(result).toMatchObject({ done: true, reusable: false });
    expect(whole.body.toString()).toBe("a");
  });

  test.each([
    ["switches protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ["never comes", "HTTP/1.1 100 Continue\r\n\r\n".repeat(9)],
  ])("that %s is malformed", (_name, text) => {
    expect(() => read([Buffer.from(text)], false)).toThrow(expect.objectContaining({ reason: "malformed" }));
  });
});

describe("a request's head", () => {
  test("is what goes over the wire", () => {
    expect(requestHead("[::1]:10250", { path: "/logs/?a=b", headers: { Range: "bytes=0-" } })).toBe(
      "GET /logs/?a=b HTTP/1.1\r\nhost: [::1]:10250\r\nuser-agent: tailrace\r\naccept: */*\r\naccept-encoding: identity\r\nRange: bytes=0-\r\n\r\n",
    );
  });

  test("has exactly the lines that were meant, or is refused", () => {
    const property = fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (path, value) => {
      let text: string;
      try {
        text = requestHead("host", { path: `/${path}`, headers: { Authorization: value } });
      } catch (error) {
        expect(error).toMatchObject({ name: "ClusterError", code: "invalid" });
        return;
      }
      expect(text.split(/[\r\n]+/)).toHaveLength(7);
      expect(text.startsWith(`GET /${path} HTTP/1.1\r\n`)).toBe(true);
    });
    fc.assert(property, { numRuns: 200 });
    for (const value of ["a\r\nb: c", "a\nb", "a\0", "ā"])
      expect(() => requestHead("host", { path: "/", headers: { Authorization: value } })).toThrow(/malformed/);
    for (const path of ["/a b", "/a\r\n", "a", "/ä"])
      expect(() => requestHead("host", { path, headers: {} })).toThrow(/malformed/);
  });
});
