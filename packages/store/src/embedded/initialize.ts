import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { DatabaseError } from "../database-error.ts";
import type { Account } from "./account.ts";
import { serverEnvironment } from "./environment.ts";
import { readIfThere } from "./files.ts";

export const SUPERUSER = "tailrace";
const MAJOR = "18";
const NEW_PREFIX = "pgdata.new-";

export interface Initialization {
  directory: string;
  account: Account | null;
  initdb: string;
  durable: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Makes `pgdata` and `password` where they do not exist. The data is made under another name first, so that a
 * `pgdata` that is there is whole.
 *
 * @returns the superuser's password
 */
export async function initialize(options: Initialization): Promise<string> {
  const pgdata = join(options.directory, "pgdata");
  await removeUnfinished(options.directory);
  const version = await readIfThere(join(pgdata, "PG_VERSION"));
  if (version !== null) {
    if (version.trim() !== MAJOR)
      throw new DatabaseError("embedded_failed", `${pgdata} is of PostgreSQL ${version.trim()}, not ${MAJOR}`);
    return readPassword(options.directory);
  }
  const password = await makePassword(options.directory);
  const made = join(options.directory, `${NEW_PREFIX}${randomBytes(8).toString("hex")}`);
  await mkdir(made);
  await chmod(made, 0o700);
  if (options.account !== null) await chown(made, options.account.uid, options.account.gid);
  await runInitdb(options, made, password);
  await rename(made, pgdata);
  return password;
}

async function runInitdb(options: Initialization, pgdata: string, password: string): Promise<void> {
  const { account } = options;
  const passwordFile = `${pgdata}.password`;
  await writeFile(passwordFile, password, { flag: "wx", mode: 0o600 });
  if (account !== null) await chown(passwordFile, account.uid, account.gid);
  const args = [
    `--pgdata=${pgdata}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    ...(options.durable ? [] : ["--no-sync"]),
  ];
  try {
    await promisify(execFile)(options.initdb, args, {
      cwd: "/",
      env: serverEnvironment,
      ...account,
      ...(options.signal && { signal: options.signal }),
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    const { stderr, message } = error as Error & { stderr?: string };
    const reason = stderr?.trim() || message;
    const remedy = "set DATABASE_URL to a PostgreSQL of your own";
    throw new DatabaseError("embedded_failed", `the embedded PostgreSQL could not be made: ${reason}; ${remedy}`, {
      cause: error,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function makePassword(directory: string): Promise<string> {
  const path = join(directory, "password");
  const known = await readIfThere(path);
  if (known !== null && known !== "") return known;
  const password = randomBytes(24).toString("base64url");
  const partial = `${path}.${randomBytes(8).toString("hex")}`;
  await writeFile(partial, password, { flag: "wx", mode: 0o600, flush: true });
  await rename(partial, path);
  return password;
}

async function readPassword(directory: string): Promise<string> {
  const path = join(directory, "password");
  const password = await readIfThere(path);
  if (password === null)
    throw new DatabaseError("embedded_failed", `${path} is missing: bring it back, or move ${directory} away`);
  return password;
}

/** A killed start may have left some, and its initdb may still write there for a moment. */
async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(NEW_PREFIX)) await rm(join(directory, name), { recursive: true, force: true, maxRetries: 10 });
  }
}
