import { join } from "node:path";
import { DatabaseError } from "../database-error.ts";
import type { StoreLog } from "../log.ts";
import { findBinaries, prepareBinaries } from "./binaries.ts";
import { initialize, SUPERUSER } from "./initialize.ts";
import { endLeftover } from "./leftover.ts";
import { locate, type Location } from "./location.ts";
import { claimDirectory } from "./ownership.ts";
import { startServer } from "./server.ts";

export interface EmbeddedPostgresOptions {
  /** Kept between starts; made where it does not exist. */
  dataDir: string;
  log: StoreLog;
  /** Gives up while it starts; later it has no effect. */
  signal?: AbortSignal | undefined;
  /** False loses data in a crash of the machine and is quicker: for tests. (Default: true) */
  durable?: boolean | undefined;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** Holds the password: not for a log. */
  url: string;
  port: number;
  /** Of the postmaster. */
  pid: number;
  /** Where the data is: `dataDir`, or as root and for a `dataDir` that only root can enter, below `/var/lib/tailrace`. */
  directory: string;
  /** Ends PostgreSQL and waits for it. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a PostgreSQL 18 of its own on 127.0.0.1, with a random port and a random password (SCRAM) that is kept in the
 * data directory for its owner alone; there is no unix socket. It ends with this process, however that ends.
 *
 * PostgreSQL does not run as root: as root it runs as the account `nobody`.
 *
 * @throws DatabaseError `embedded_unsupported`, `embedded_in_use` (names the pid of the holder), `embedded_failed`
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const installed = findBinaries();
  try {
    const location = await locate(options.dataDir);
    const release = await claimDirectory(location.directory, options.signal);
    try {
      return await startOwned(options, installed, location, release);
    } catch (error) {
      await release();
      throw error;
    }
  } catch (error) {
    if (error instanceof DatabaseError || options.signal?.aborted === true) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new DatabaseError(
      "embedded_failed",
      `the embedded PostgreSQL can't be started: ${message}; DATABASE_URL names a PostgreSQL of your own`,
      { cause: error },
    );
  }
}

async function startOwned(
  options: EmbeddedPostgresOptions,
  installed: string,
  location: Location,
  release: () => Promise<void>,
): Promise<EmbeddedPostgres> {
  const { log, signal, durable = true } = options;
  const { directory, account } = location;
  await endLeftover(join(directory, "pgdata"), log);
  const { initdb, postgres } = await prepareBinaries(installed, account, location.binaries);
  const password = await initialize({ directory, account, initdb, durable, signal });
  const server = await startServer({ directory, account, postgres, durable, signal });
  const { port, pid } = server;
  const where = { directory, port, pid, ...(account && { uid: account.uid }) };
  if (location.movedFrom === null) log.info(where, "the embedded PostgreSQL is ready");
  else
    log.info(
      { ...where, dataDir: location.movedFrom },
      `the embedded PostgreSQL is ready, with its data in ${directory}: it does not run as root, and no other user can enter ${location.movedFrom}`,
    );
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await server.stop();
    await release();
  };
  void server.ended.then(() => {
    if (closing === undefined) log.warn({ pid, directory }, "the embedded PostgreSQL has ended; see its postgres.log");
  });
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    port,
    pid,
    directory,
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}
