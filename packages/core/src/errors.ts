/**
 * The closed set of reasons for which Tailrace refuses or fails a request. Each transport maps a code to its own
 * status in one place.
 */
export type ErrorCode =
  | "BAD_REQUEST"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "CONFLICT"
  | "PAYLOAD_TOO_LARGE"
  | "TOO_MANY_REQUESTS"
  | "UNAVAILABLE"
  | "INTERNAL";

/** What is wrong with one field of an input. */
export interface FieldIssue {
  /** The field as a path joined by dots, for example `parallelism` or `arguments.2`; `""` for the whole input. */
  path: string;
  /** One sentence that names the limit. */
  message: string;
}

/** An expected failure: its message may be shown to the caller. Any other error is `INTERNAL` and keeps its message. */
export class TailraceError extends Error {
  override readonly name = "TailraceError";
  readonly code: ErrorCode;
  /** Filled for `BAD_REQUEST`. */
  readonly issues: readonly FieldIssue[];

  constructor(code: ErrorCode, message: string, options: { issues?: readonly FieldIssue[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
  }
}

/** True for a {@link TailraceError}, also one made by another copy of this module. */
export function isTailraceError(error: unknown, code?: ErrorCode): error is TailraceError {
  if (!(error instanceof Error) || error.name !== "TailraceError") return false;
  return code === undefined || (error as TailraceError).code === code;
}
