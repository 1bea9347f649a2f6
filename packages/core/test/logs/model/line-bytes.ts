import type { Write } from "./history.ts";
import { concat, utf8 } from "./bytes.ts";

const PIECE = 16_384;
const MIB = 1024 * 1024;

/** A second at which log entries say to have been written. */
const CLOCK = "2026-11-24T13:54:25Z";

/** The bytes of one line with its newline; the number makes it unlike any other, but for the kinds that are to be alike. */
export function lineBytes({ kind, size }: Pick<Write, "kind" | "size">, number: number): Uint8Array {
  return concat([text(kind, size, number), utf8(kind === "crlf" ? "\r\n" : "\n")]);
}

function text(kind: Write["kind"], size: number, number: number): Uint8Array {
  switch (kind) {
    case "k6":
      return utf8(`time="${CLOCK}" level=${size % 2 === 0 ? "info" : "error"} msg="n=${number}" source=console`);
    case "json":
      return utf8(`{"level":"warning","msg":"n=${number}","source":"console","time":"${CLOCK}"}`);
    case "text":
      return utf8(`     iterations....................: ${number}`);
    case "same":
      return utf8("running (0m01.0s), 1/1 VUs");
    case "empty":
      return new Uint8Array(0);
    case "crlf":
      return utf8(size % 2 === 0 ? `windows ${number}` : `windows ${number}\r`);
    case "binary":
      return concat([Uint8Array.of(0x00, 0xff, 0xfe, 0x1b, 0x0d), utf8(String(number)), Uint8Array.of(0xc3, 0x28)]);
    case "like-stamp":
      return utf8(`2026-11-23T16:22:29.865786283Z stdout F ${number}`);
    case "like-kubelet":
      return utf8(`unable to retrieve container logs for containerd://${number}`);
    case "piece":
      // Just at the limit of one piece.
      return filled(PIECE - 2 + (size % 5), number);
    case "long":
      return filled(PIECE + size, number);
    case "long-with-k6-inside":
      return concat([filled(PIECE, number), utf8(`time="${CLOCK}" level=info msg="of a long line ${number}"`)]);
    case "huge":
      return filled(MIB - 1 + (size % 3) + (size % 4 === 0 ? MIB : 0), number);
  }
}

/** Bytes that differ from place to place, so that no part of them looks like another. */
function filled(length: number, number: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (number + 1) * 2654435761;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[at] = 0x61 + ((state >>> 24) % 26);
  }
  bytes.set(utf8(`{"n":${number},`).subarray(0, length));
  return bytes;
}
