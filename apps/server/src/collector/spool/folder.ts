import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { LogStore } from "@tailrace/core";
import type { Logger } from "pino";
import { DiskQueue } from "./disk-queue.ts";

/** In a process's folder: whose it is. Its modification time says that the owner lives. */
const OWNER_FILE = "owner";

const HEARTBEAT_MS = 5_000;

/** After so long without a sign of life an owner on another host counts as gone. */
const SILENCE_MS = 60_000;

/** What is read of a spool at once. */
const ADOPTED = { commits: 200, bytes: 4 * 1024 * 1024 };

interface Owner {
  host: string;
  pid: number;
  /** Milliseconds since the epoch: pids are used again. */
  startedAt: number;
}

export interface SpoolFolder extends AsyncDisposable {
  queue: DiskQueue;
}

/** Makes this process's own folder below `root`. What is left in it at the end stays for {@link adoptSpools}. */
export async function openSpoolFolder(root: string, name: string, log: Logger): Promise<SpoolFolder> {
  const directory = join(root, name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const owner = join(directory, OWNER_FILE);
  await writeFile(owner, JSON.stringify(thisProcess()), { mode: 0o600 });
  const queue = await DiskQueue.open(directory, (file, error) => reportDamage(log, file, error));
  const beat = setInterval(() => {
    const now = new Date();
    utimes(owner, now, now).catch((error: unknown) =>
      log.warn({ err: error }, "the spool's folder can't be written to"),
    );
  }, HEARTBEAT_MS);
  beat.unref();
  return {
    queue,
    async [Symbol.asyncDispose]() {
      clearInterval(beat);
      if (queue.empty) await removeFolder(directory, queue);
      else await queue.close();
    },
  };
}

/**
 * Gives what processes that are gone left in their folders to the holders of the streams, through the database. Several
 * may do so at once, in this process or in others: what is handed over twice is there once.
 *
 * @returns how many records were handed over
 */
export async function adoptSpools(root: string, store: Pick<LogStore, "handOver">, log: Logger): Promise<number> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  let records = 0;
  for (const name of await readdir(root)) {
    const directory = join(root, name);
    if (await isAbandoned(directory)) records += await handOverAll(directory, store, log);
  }
  if (records > 0) log.info({ records }, "handed over what a server before had read and could not store");
  return records;
}

async function handOverAll(directory: string, store: Pick<LogStore, "handOver">, log: Logger): Promise<number> {
  let records = 0;
  let queue: DiskQueue | null = null;
  try {
    queue = await DiskQueue.open(directory, (file, error) => reportDamage(log, file, error));
    for (let next = await queue.peek(ADOPTED); next !== null; next = await queue.peek(ADOPTED)) {
      for (const commit of next.commits) await store.handOver(commit);
      await next.drop();
      records += next.commits.length;
    }
    await removeFolder(directory, queue);
  } catch (error) {
    // A file goes when all of it is handed over: somebody else was quicker.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  } finally {
    await queue?.close();
  }
  return records;
}

/** A file that could not be read stays, and its folder with it. */
async function removeFolder(directory: string, queue: DiskQueue): Promise<void> {
  await queue.remove();
  const left = await readdir(directory);
  if (left.every((name) => name === OWNER_FILE)) await rm(directory, { recursive: true, force: true });
}

async function isAbandoned(directory: string): Promise<boolean> {
  const file = join(directory, OWNER_FILE);
  const text = await readFile(file, "utf8").catch(() => null);
  // Made by somebody who has not written it yet, or none of ours.
  if (text === null) return false;
  const owner = parseOwner(text);
  const own = thisProcess();
  if (owner?.host === own.host) {
    if (owner.pid === own.pid) return owner.startedAt !== own.startedAt;
    if (!isAlive(owner.pid)) return true;
  }
  return Date.now() - (await stat(file)).mtimeMs > SILENCE_MS;
}

/** Null for a file that was not written whole. */
function parseOwner(text: string): Owner | null {
  try {
    return JSON.parse(text) as Owner;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function thisProcess(): Owner {
  return { host: hostname(), pid: process.pid, startedAt: Math.round(performance.timeOrigin) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function reportDamage(log: Logger, file: string, error: Error): void {
  log.error(
    { file, reason: error.message },
    "a file of the spool can't be read to its end, and is kept for you to look at",
  );
}
