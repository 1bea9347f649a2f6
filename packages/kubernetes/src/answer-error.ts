import { ClusterError, type ClusterErrorCode } from "@tailrace/core";
import type { IncomingHttpHeaders } from "node:http";

/** The part of a Kubernetes `Status` that says what went wrong. */
export interface StatusLike {
  code?: unknown;
  message?: unknown;
  reason?: unknown;
}

/** The error that an HTTP answer other than 2xx stands for. */
export function answerError(
  what: string,
  status: number,
  headers: Pick<IncomingHttpHeaders, "retry-after">,
  body: Uint8Array,
): ClusterError {
  const text = new TextDecoder().decode(body.subarray(0, 64 * 1024));
  const { message, reason } = statusOf(text);
  const words = message ?? (text.replace(/\s+/g, " ").trim().slice(0, 300) || "no message");
  return new ClusterError(codeOf(status, reason), `${what}: HTTP ${status}: ${words}`, {
    status,
    retryAfterMs: retryAfterMs(headers["retry-after"], Date.now()),
  });
}

/** The error that a `Status` object inside a watch stands for. */
export function statusObjectError(what: string, status: StatusLike): ClusterError {
  const code = typeof status.code === "number" ? status.code : 500;
  const reason = typeof status.reason === "string" ? status.reason : undefined;
  const message = typeof status.message === "string" ? status.message : "no message";
  return new ClusterError(codeOf(code, reason), `${what}: status ${code}: ${message}`, { status: code });
}

function statusOf(text: string): { message: string | undefined; reason: string | undefined } {
  try {
    const { message, reason } = (JSON.parse(text) ?? {}) as StatusLike;
    return {
      message: typeof message === "string" && message !== "" ? message : undefined,
      reason: typeof reason === "string" ? reason : undefined,
    };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { message: undefined, reason: undefined };
  }
}

/** Reasons as in k8s.io/apimachinery, pkg/apis/meta/v1/types.go. */
function codeOf(status: number, reason: string | undefined): ClusterErrorCode {
  if (status === 410 || reason === "Expired" || reason === "Gone") return "gone";
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 409) return reason === "AlreadyExists" ? "already_exists" : "conflict";
  if (status === 429) return "too_many_requests";
  if (status >= 400 && status < 500) return "invalid";
  return "server_error";
}

/** @param header - seconds or an HTTP date (RFC 9110, 10.2.3) */
function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
