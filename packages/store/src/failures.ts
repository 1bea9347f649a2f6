import { isTailraceError, TailraceError } from "@tailrace/core";
import { DrizzleQueryError } from "./drizzle.ts";

/** SQLSTATEs after which the same call may be made again, each with what the server did or lacks. */
const RETRYABLE_SQLSTATES: Readonly<Record<string, string>> = {
  "40001": "serialization_failure: rolled back because of a concurrent transaction",
  "40P01": "deadlock_detected: rolled back to let another transaction go on",
  "55P03": "lock_not_available: the lock was not free in time",
  "57014": "query_canceled: the statement took longer than its timeout",
  "25006": "read_only_sql_transaction: connected to a standby, as in the middle of a failover",
  "25P03": "idle_in_transaction_session_timeout: this process was too slow, and was rolled back",
  "08000": "connection_exception: the connection is gone",
  "08001": "sqlclient_unable_to_establish_sqlconnection: no server there now",
  "08003": "connection_does_not_exist: the connection is gone",
  "08004": "sqlserver_rejected_establishment_of_sqlconnection: refused by a pooler in between",
  "08006": "connection_failure: the connection is gone",
  "53100": "disk_full: until somebody makes room",
  "53200": "out_of_memory: other sessions use it now",
  "53300": "too_many_connections: other sessions use them now",
  "57P01": "admin_shutdown: the server is being stopped or restarted",
  "57P02": "crash_shutdown: another session crashed, and the server starts anew",
  "57P03": "cannot_connect_now: the server is starting or stopping",
  "57P05": "idle_session_timeout: the server closed a connection that nobody used",
};

/** System errors of a socket whose other end is not there, or not there any more. */
const RETRYABLE_SYSTEM_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT", // the server's unix socket
]);

/** Errors of pg and pg-pool that have no code. */
const RETRYABLE_MESSAGES: ReadonlySet<string> = new Set([
  "Connection terminated",
  "Connection terminated unexpectedly",
  "Connection terminated due to connection timeout",
  "timeout exceeded when trying to connect",
  "timeout expired",
  "Query read timeout",
  "Client has encountered a connection error and is not queryable",
  "Client was closed and is not queryable",
]);

/** SQLSTATEs for text that PostgreSQL does not take: only a caller's input can hold it. */
const REFUSED_TEXT_SQLSTATES: ReadonlySet<string> = new Set([
  "22021", // character_not_in_repertoire: NUL in a text
  "22P05", // untranslatable_character: \u0000 in a jsonb
  "22P02", // invalid_text_representation: half a surrogate pair in a jsonb
  "54000", // program_limit_exceeded: a key longer than an index entry may be
]);

/** The SQLSTATE of a failed statement, or a system error's code. */
export function errorCode(error: unknown): string | undefined {
  const code = (unwrap(error) as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

export function hasSqlState(error: unknown, state: string): boolean {
  return errorCode(error) === state;
}

/**
 * True when the same call may succeed a little later: nothing was written, except that the answer to a COMMIT may
 * have been lost with its connection. Every verb of the store may be repeated then; `createRun` with the same id
 * answers CONFLICT if the first one was written.
 */
export function retryable(error: unknown): boolean {
  const inner = unwrap(error);
  if (isTailraceError(inner)) return inner.code === "UNAVAILABLE";
  if (!(inner instanceof Error)) return false;
  const code = errorCode(inner);
  if (code !== undefined) return RETRYABLE_SYSTEM_CODES.has(code) || Object.hasOwn(RETRYABLE_SQLSTATES, code);
  if (inner instanceof AggregateError) return inner.errors.some(retryable);
  return RETRYABLE_MESSAGES.has(inner.message);
}

/** What a verb of the store throws in the place of what the driver threw. */
export function translateError(error: unknown): unknown {
  const inner = unwrap(error);
  if (isTailraceError(inner)) return inner;
  if (REFUSED_TEXT_SQLSTATES.has(errorCode(inner) ?? ""))
    return new TailraceError("BAD_REQUEST", "a text holds a character that can't be stored, or is too long for a key", {
      issues: [{ path: "", message: "must not contain NUL or half a surrogate pair" }],
      cause: inner,
    });
  if (retryable(inner))
    return new TailraceError("UNAVAILABLE", "the database can't do this at present; try again", { cause: inner });
  return inner;
}

/** drizzle's own error repeats the statement with all its parameters, scripts and logs among them: nothing for a log. */
function unwrap(error: unknown): unknown {
  return error instanceof DrizzleQueryError && error.cause !== undefined ? error.cause : error;
}
