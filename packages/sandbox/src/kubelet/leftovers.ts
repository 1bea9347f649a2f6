import { execFile } from "node:child_process";
import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { signalGroup } from "./children.ts";

/** The folders of sandboxes in a data directory are named so. */
export const FOLDER_PREFIX = "sandbox-";
/** In a sandbox's folder: the pid of the process that it belongs to, and when that began: pids are used again. */
export const OWNER_FILE = "owner.pid";
/** In a sandbox's folder: the pids of its children, one a line. */
export const LEDGER_FILE = "children";

/**
 * Ends what sandboxes left behind that were killed themselves, and removes their folders. A pid counts only when its
 * process still works in that folder, since numbers are used again.
 */
export async function endLeftovers(dataDir: string, log: (line: string) => void): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const folder = join(dataDir, name);
    const [owner = "0", since] = (await readOr(join(folder, OWNER_FILE), "")).split(" ");
    if (Number(owner) === process.pid ? since === ownerSince() : Number(owner) > 0 && isAlive(Number(owner))) continue;
    const pids = (await readOr(join(folder, LEDGER_FILE), ""))
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 1);
    const ours: number[] = [];
    for (const pid of pids) if (isAlive(pid) && (await worksIn(pid, folder))) ours.push(pid);
    for (const pid of ours) {
      log(`ending process ${pid}, left behind by a sandbox that was killed`);
      signalGroup(pid, "SIGTERM");
    }
    for (let waited = 0; waited < 2000 && ours.some(isAlive); waited += 50) await delay(50);
    for (const pid of ours) signalGroup(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What {@link OWNER_FILE} says of this process. */
export function ownerLine(): string {
  return `${process.pid} ${ownerSince()}`;
}

function ownerSince(): string {
  return String(Math.round(performance.timeOrigin));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** By its working directory where there is /proc, else by its command line. */
async function worksIn(pid: number, folder: string): Promise<boolean> {
  try {
    return (await readlink(`/proc/${pid}/cwd`)).startsWith(folder);
  } catch {
    const command = await promisify(execFile)("ps", ["-o", "command=", "-p", String(pid)]).catch(() => ({
      stdout: "",
    }));
    return command.stdout.includes(folder);
  }
}

async function readOr(path: string, missing: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return missing;
    throw error;
  }
}
