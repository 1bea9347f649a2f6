import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open, readFile, rename } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError } from "../database-error.ts";
import type { Account } from "./account.ts";
import { serverEnvironment } from "./environment.ts";
import { nullIfMissing, readIfThere } from "./files.ts";

export interface Server {
  port: number;
  pid: number;
  /** Resolves when it has ended, for whatever reason. */
  ended: Promise<void>;
  /** Disconnects everybody, writes a checkpoint and ends (fast shutdown). */
  stop(): Promise<void>;
}

export interface ServerOptions {
  directory: string;
  postgres: string;
  account: Account | null;
  durable: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * The shell becomes postgres; before, it leaves a watcher that waits at descriptor 3. A line there ends the watcher,
 * the end of the stream means that this process was killed, and postgres, if it still is that pid, is stopped.
 */
const WATCHED = `
( ( read -r _ <&3 || { read -r pid <"$0" && [ "$pid" = "$$" ] && kill -INT "$$"; } ) & )
exec 3<&-
exec "$@"`;

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const STOP_STEPS = [
  ["SIGINT", 15_000],
  ["SIGQUIT", 5_000],
  ["SIGKILL", 5_000],
] as const;

/** What goes by itself: the port was taken in the meantime, or the children of a killed postmaster are about to end. */
const PASSING = /Address already in use|could not create any TCP\/IP sockets|pre-existing shared memory block/;
const ATTEMPTS = 10;

/** Starts postgres on 127.0.0.1 with a free port, and waits until it is ready. */
export async function startServer(options: ServerOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    const child = await spawnServer(options, port);
    const server = superviseServer(child, port);
    const failure = await untilReady(options, server, child).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    if (failure === null) return server;
    if (attempt === ATTEMPTS || !PASSING.test(failure))
      throw new DatabaseError("embedded_failed", `the embedded PostgreSQL did not start: ${failure}`);
    await sleep(100 * attempt, undefined, options.signal && { signal: options.signal });
  }
}

async function spawnServer(options: ServerOptions, port: number): Promise<ChildProcess> {
  const pgdata = join(options.directory, "pgdata");
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    log_checkpoints: "off",
    log_timezone: "UTC",
    timezone: "UTC",
    ...(!options.durable && { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const path = join(options.directory, "postgres.log");
  await rename(path, `${path}.1`).catch(nullIfMissing);
  const log = await open(path, "wx", 0o600);
  try {
    const command = ["-c", WATCHED, join(pgdata, "postmaster.pid"), options.postgres, "-D", pgdata, ...args];
    const child = spawn("/bin/sh", command, {
      cwd: "/",
      env: serverEnvironment,
      // Its own session: Ctrl-C in a terminal reaches this process alone, which stops postgres when it has drained.
      detached: true,
      stdio: ["ignore", log.fd, log.fd, "pipe"],
      ...options.account,
    });
    await once(child, "spawn");
    return child;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new DatabaseError("embedded_failed", `the embedded PostgreSQL can't be run: ${message}`, { cause: error });
  } finally {
    await log.close();
  }
}

function superviseServer(child: ChildProcess, port: number): Server {
  const watcher = child.stdio[3] as Duplex;
  watcher.on("error", () => undefined);
  const watcherEnded = once(watcher, "close");
  watcher.resume();
  const exited = once(child, "exit").then(() => void watcher.end("\n"));
  const ended = Promise.all([exited, watcherEnded]).then(() => undefined);
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const [signal, patienceMs] of STOP_STEPS) {
      child.kill(signal);
      const patience = new AbortController();
      await Promise.race([ended, sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
      patience.abort();
      if (child.exitCode !== null || child.signalCode !== null) break;
    }
    await ended;
  };
  return { port, pid: child.pid!, ended, stop: () => (stopping ??= stop()) };
}

/** @returns null when postgres takes connections, or the end of its log when it has ended. */
async function untilReady(options: ServerOptions, server: Server, child: ChildProcess): Promise<string | null> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && child.signalCode === null) {
    options.signal?.throwIfAborted();
    if (Date.now() > deadline) throw new DatabaseError("embedded_failed", await readLogEnd(options.directory));
    // Line 1 is the pid, line 8 the state (`pg_ctl.c`, wait_for_postmaster_start).
    const lines = (await readIfThere(join(options.directory, "pgdata", "postmaster.pid")))?.split("\n");
    if (lines?.[0] === String(server.pid) && lines[7]?.trim() === "ready") return null;
    await sleep(POLL_MS);
  }
  await server.ended;
  return readLogEnd(options.directory);
}

async function readLogEnd(directory: string): Promise<string> {
  const text = await readFile(join(directory, "postgres.log"), "utf8");
  return text.slice(-2_000).trim() || "it wrote no log";
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
