import { PIECE_BYTES } from "../lines/limits.ts";

/**
 * How k6 begins a log line: `time="2026-11-23T16:22:29Z" level=`, or `{"level":` with `K6_LOG_FORMAT=json`
 * (logrus, TextFormatter and JSONFormatter).
 */
const LOG_LINE = /^(?:time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)" level=[a-z]|\{"level":"[a-z])/;

const LONGEST_MATCH = 48;

/**
 * Where another standard stream's line was glued into a long one by the kubelet's reader, which keeps one flag "a line
 * begins" for stdout and stderr together (k8s.io/cri-client, pkg/logs/logs.go): a piece is exactly 16 KiB, so only there
 * can it be. What stands there must be the head of a k6 log line.
 *
 * @returns the offset in the line, or null
 */
export function gluedAt(bytes: Uint8Array, start: number, end: number): number | null {
  for (let offset = PIECE_BYTES; start + offset < end; offset += PIECE_BYTES)
    if (beginsLogLine(bytes, start + offset, end)) return offset;
  return null;
}

/** True when the bytes begin as k6 begins a log line: then they are no rest of a line that was cut in two. */
export function beginsLogLine(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start];
  if (first !== 0x74 && first !== 0x7b) return false;
  let text = "";
  for (let at = start, last = Math.min(end, start + LONGEST_MATCH); at < last; at += 1)
    text += String.fromCharCode(bytes[at]!);
  return LOG_LINE.test(text);
}
