import type { PodLogAnswer } from "../ports/cluster.ts";
import { oneLine } from "./containers.ts";

/** What one answer of the pod log API means for the snapshot. */
export type ContainerRead =
  /** Lines without their stamps. `truncated`: older ones were left out because of the byte limit. `diagnostic`: what the kubelet said in the stream that is not output. */
  | { kind: "log"; lines: string[]; truncated: boolean; diagnostic: string | null }
  /** The container has not started. */
  | { kind: "waiting"; reason: string }
  /** Nothing is known yet, or the request failed for a passing reason: ask again. */
  | { kind: "retry"; reason: string }
  /** The log is not there any more. */
  | { kind: "gone"; reason: string }
  /** Asking again would give the same. */
  | { kind: "failed"; reason: string };

/** The most that a snapshot holds of one container: 256 KiB of UTF-8, newlines counted, stamps not. */
export const MAX_CONTAINER_BYTES = 256 * 1024;

/** A container runtime writes a longer line in pieces of this many bytes (containerd's `max_container_log_line_size`). */
const PIECE_BYTES = 16 * 1024;

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) /;

/** One more than wanted: the first line of a tail may be the rest of a longer one, and is then left out. */
export function tailLinesToRequest(tailLines: number): number {
  return tailLines + 1;
}

/** How much of a body must be kept so that neither limit is missed: the lines' own bytes and their stamps. */
export function bytesToRead(tailLines: number): number {
  return MAX_CONTAINER_BYTES + (tailLines + 1) * 40 + PIECE_BYTES;
}

/**
 * Judges a whole answer of `GET …/pods/{name}/log?timestamps=true&tailLines={@link tailLinesToRequest}`.
 *
 * A line without a stamp is never output: it is the kubelet's own text (`unable to retrieve container logs for …`),
 * sent under a 200 (kubernetes, pkg/kubelet/server/server.go).
 *
 * @param tailLines - how many lines are wanted at most
 */
export function readPodLogAnswer(answer: PodLogAnswer, tailLines: number): ContainerRead {
  return answer.status === 200 ? readBody(answer, tailLines) : readRefusal(answer);
}

/** Judges an answer of the pod log API that is no log. */
export function readRefusal(answer: Pick<PodLogAnswer, "status" | "body">): Exclude<ContainerRead, { kind: "log" }> {
  if (answer.status === 204) return { kind: "waiting", reason: "the pod is not scheduled yet" };
  const { message, kind } = statusOf(answer);
  const waiting = /is waiting to start: (.*)$/s.exec(message);
  if (answer.status === 400 && waiting) return { kind: "waiting", reason: waiting[1]! };
  if (answer.status === 400 && message.endsWith("is not available")) return { kind: "waiting", reason: message };
  if (answer.status === 404 && kind === "pods" && message.endsWith("not found"))
    return { kind: "gone", reason: message };
  const reason = `HTTP ${answer.status}: ${message}`;
  // The kubelet has not heard of a pod for some milliseconds after it was scheduled; that 404 does not name the pod as missing.
  if (answer.status === 404 || answer.status === 401 || answer.status === 429 || answer.status >= 500)
    return { kind: "retry", reason };
  return { kind: "failed", reason };
}

function statusOf(answer: Pick<PodLogAnswer, "status" | "body">): { message: string; kind: string | undefined } {
  const text = decodeLogText(answer.body);
  try {
    const status = JSON.parse(text) as { message?: unknown; details?: { kind?: unknown } | null } | null;
    if (typeof status?.message === "string") {
      const kind = status.details?.kind;
      return { message: oneLine(status.message), kind: typeof kind === "string" ? kind : undefined };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { message: oneLine(text).slice(0, 500) || "no message", kind: undefined };
}

function readBody(answer: PodLogAnswer, tailLines: number): ContainerRead {
  const received = decodeLogText(answer.body).split("\n");
  // Pieces are cut by the bytes that the container wrote, which decoding may lengthen.
  const sizes = lineLengths(answer.body);
  if (received.at(-1) === "") received.pop();
  if (answer.cut) {
    received.shift();
    sizes.shift();
  }

  const lines: string[] = [];
  const diagnostics: string[] = [];
  let pieces = 0;
  for (const [index, line] of received.entries()) {
    const stamp = STAMP.exec(line);
    if (stamp === null) {
      diagnostics.push(line);
      continue;
    }
    const text = line.slice(stamp[0].length);
    lines.push(text);
    pieces += Math.floor((sizes[index]! - stamp[0].length) / PIECE_BYTES) + 1;
  }
  const diagnostic = diagnostics.length === 0 ? null : oneLine(diagnostics.join(" "));
  if (lines.length === 0 && diagnostic !== null) return { kind: "gone", reason: diagnostic };

  const tailWasCut = !answer.cut && pieces >= tailLinesToRequest(tailLines);
  if (tailWasCut) lines.shift();
  const wanted = lines.slice(-tailLines);
  const kept = withinBytes(wanted, MAX_CONTAINER_BYTES);
  const truncated = kept.truncated || (answer.cut && wanted.length < tailLines);
  return { kind: "log", lines: kept.lines, truncated, diagnostic };
}

/** The bytes of each line, without its newline. */
function lineLengths(body: Uint8Array): number[] {
  const lengths: number[] = [];
  let start = 0;
  for (let end = body.indexOf(0x0a); end !== -1; end = body.indexOf(0x0a, start)) {
    lengths.push(end - start);
    start = end + 1;
  }
  return [...lengths, body.length - start];
}

/** Bytes as text that PostgreSQL takes: invalid UTF-8 becomes U+FFFD, NUL becomes U+2400. */
export function decodeLogText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\0", "\u2400");
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The newest lines that fit; of a single line that does not, its end. */
function withinBytes(lines: string[], limit: number): { lines: string[]; truncated: boolean } {
  let room = limit;
  let first = lines.length;
  while (first > 0) {
    const size = utf8Length(lines[first - 1]!) + 1;
    if (size > room) break;
    room -= size;
    first -= 1;
  }
  if (first === 0) return { lines, truncated: false };
  if (first < lines.length) return { lines: lines.slice(first), truncated: true };
  return { lines: [endOf(lines[first - 1]!, limit - 1)], truncated: true };
}

function endOf(line: string, bytes: number): string {
  const encoded = new TextEncoder().encode(line);
  let start = encoded.length - bytes;
  while (start < encoded.length && (encoded[start]! & 0xc0) === 0x80) start += 1;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(encoded.subarray(start));
}
