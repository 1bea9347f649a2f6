import { ClusterError } from "@tailrace/core";

/** Why an exchange ended early. */
export type FailureReason =
  /** No connection: refused, unknown host, or a certificate that did not verify. */
  | "connect"
  /** No head of an answer in time. */
  | "timeout"
  /** The connection broke. */
  | "reset"
  /** The server closed the connection before the answer's end. */
  | "closed"
  /** What came is no HTTP/1.1, or exceeds a bound. */
  | "malformed"
  /** Nothing came for too long. */
  | "silence"
  /** Whoever takes the bytes ended it. */
  | "stopped"
  /** The signal was aborted. */
  | "aborted";

/** An exchange that did not come to its regular end. */
export class ExchangeError extends Error {
  override readonly name = "ExchangeError";
  readonly reason: FailureReason;
  /** True when no byte of an answer had come. */
  unanswered = false;

  constructor(reason: FailureReason, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.reason = reason;
  }
}

export function malformed(message: string): ExchangeError {
  return new ExchangeError("malformed", message);
}

/** Why a signal is aborted at the end of a time; makes no stack trace for the many times that do not run out. */
export class TimeOut {
  readonly reason: "timeout" | "silence";
  readonly ms: number;

  constructor(reason: "timeout" | "silence", ms: number) {
    this.reason = reason;
    this.ms = ms;
  }
}

/** What an aborted signal says. */
export function abortFailure(signal: AbortSignal): Error {
  if (signal.reason instanceof TimeOut) {
    const { reason, ms } = signal.reason;
    return new ExchangeError(reason, `${reason === "timeout" ? "no answer in" : "nothing came for"} ${ms} ms`);
  }
  if (signal.reason instanceof ExchangeError || signal.reason instanceof ClusterError) return signal.reason;
  return new ExchangeError("aborted", "aborted", { cause: signal.reason });
}

/** The error of a socket as the failure of what was under way on it. */
export function socketFailure(error: NodeJS.ErrnoException): ExchangeError {
  return new ExchangeError("reset", `the answer was cut (${error.code ?? error.message})`, { cause: error });
}

/** An ExchangeError as the port's error; anything else as it is: it came from whoever took the bytes. */
export function clusterError(what: string, error: unknown): unknown {
  if (!(error instanceof ExchangeError)) return error;
  const code = error.reason === "timeout" || error.reason === "silence" ? "timeout" : "network";
  return new ClusterError(code, `${what}: ${error.message}`, {
    cause: error.reason === "aborted" ? error.cause : error,
  });
}
