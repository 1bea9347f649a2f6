import pg from "pg";
import { errorCode } from "./failures.ts";

/** Why a database can't be used as it is; the message names the way out and never a password. */
export type DatabaseErrorCode =
  | "invalid_url"
  | "unreachable"
  | "server_too_old"
  | "database_newer"
  | "migration_failed"
  | "embedded_unsupported"
  | "embedded_in_use"
  | "embedded_failed";

export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code: DatabaseErrorCode;

  constructor(code: DatabaseErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/**
 * Makes a client that is not connected yet.
 *
 * @throws DatabaseError `invalid_url`, without the URL, which may hold a password
 */
export function makeClient(databaseUrl: string, config: pg.ClientConfig): pg.Client {
  const invalid = (): DatabaseError =>
    new DatabaseError("invalid_url", "DATABASE_URL must look like postgres://user:password@host:port/database");
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) throw invalid();
  try {
    return new pg.Client({ ...config, connectionString: databaseUrl });
  } catch {
    throw invalid();
  }
}

/** @throws DatabaseError `unreachable`, which names host, port and reason */
export async function connect(client: pg.Client): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    throw new DatabaseError("unreachable", `can't connect to PostgreSQL at ${place(client)}: ${reason(error)}`, {
      cause: error,
    });
  }
}

function place(client: pg.Client): string {
  return client.host.startsWith("/") ? `${client.host}/.s.PGSQL.${client.port}` : `${client.host}:${client.port}`;
}

function reason(error: unknown): string {
  switch (errorCode(error)) {
    case "ECONNREFUSED":
      return "nothing listens there (ECONNREFUSED); is the server running, and is DATABASE_URL right?";
    case "ENOTFOUND":
      return "the host name is not known (ENOTFOUND); is DATABASE_URL right?";
    case "28P01":
      return "the server refuses user or password (28P01)";
    case "3D000":
      return "the server has no such database (3D000); create it first";
    default:
      return error instanceof Error && error.message !== "" ? error.message : String(errorCode(error) ?? error);
  }
}
