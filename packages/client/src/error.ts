import type { ApiErrorCode, AppRouter } from "@tailrace/api";
import type { FieldIssue } from "@tailrace/core";
import { TRPCClientError } from "@trpc/client";

/**
 * Why a call failed: the server's code, or one of the client's own.
 *
 * - `NETWORK`: no answer came.
 * - `ABORTED`: a signal that the caller gave ended the call.
 * - `BAD_RESPONSE`: something answered that is not Tailrace, a proxy for example.
 */
export type ClientErrorCode = ApiErrorCode | "NETWORK" | "ABORTED" | "BAD_RESPONSE";

/** What {@link TailraceClientError} says besides its message. */
export interface ClientErrorDetails {
  /** What is wrong with which field of the input. (Default: none) */
  issues?: readonly FieldIssue[];
  /** Finds the request in the server's log. (Default: null) */
  requestId?: string | null;
  /** The answer's HTTP status. (Default: null) */
  status?: number | null;
  cause?: Error;
}

/** What every call of a client rejects with. */
export class TailraceClientError extends TRPCClientError<AppRouter> {
  override name = "TailraceClientError";
  readonly code: ClientErrorCode;
  /** What is wrong with which field of the input; empty unless the code is `BAD_REQUEST`. */
  readonly issues: readonly FieldIssue[];
  /** Finds the request in the server's log; null where the server did not get so far. */
  readonly requestId: string | null;
  /** The answer's HTTP status; null where there was none. */
  readonly status: number | null;

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    // The base class resets the prototype to its own.
    Object.setPrototypeOf(this, TailraceClientError.prototype);
    this.code = code;
    this.issues = details.issues ?? [];
    this.requestId = details.requestId ?? null;
    this.status = details.status ?? null;
  }
}

/** True for a {@link TailraceClientError}, also one of another copy of this package, and of the code if one is given. */
export function isTailraceError(error: unknown, code?: ClientErrorCode): error is TailraceClientError {
  if (!(error instanceof Error) || error.name !== "TailraceClientError") return false;
  return code === undefined || (error as TailraceClientError).code === code;
}

/** What a proxy answers while the server behind it is away, or has too much to do. */
const PASSING_STATUSES = [429, 502, 503, 504];

/** True for a failure that passes by itself: no answer came, or one that says to come back later. */
export function isPassing(error: unknown): boolean {
  if (!isTailraceError(error)) return false;
  const { code, status } = error;
  if (code === "BAD_RESPONSE") return status !== null && PASSING_STATUSES.includes(status);
  return code === "NETWORK" || code === "UNAVAILABLE";
}

/** Makes a {@link TailraceClientError} of what a link failed with. */
export function toClientError(error: TRPCClientError<AppRouter>, aborted: boolean): TailraceClientError {
  if (isTailraceError(error)) return error;
  const { data } = error;
  if (typeof data?.code === "string" && Array.isArray(data.issues)) {
    return new TailraceClientError(data.code, error.message, {
      issues: data.issues,
      requestId: data.requestId,
      status: data.httpStatus,
      cause: error,
    });
  }
  if (aborted) return new TailraceClientError("ABORTED", "the call was aborted", { cause: error });
  return new TailraceClientError("BAD_RESPONSE", `the answer could not be read: ${error.message}`, { cause: error });
}
