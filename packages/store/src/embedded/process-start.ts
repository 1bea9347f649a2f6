import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** A process is there, but this user may not know since when. */
export const UNKNOWN_START = "unknown";

const POLL_MS = 20;

/**
 * When a process started, as an opaque word that tells it from a later one with the same pid.
 *
 * @returns null when there is no such process, or only what is left of one that ended (a zombie)
 */
export async function processStart(pid: number): Promise<string | null> {
  if (!signalable(pid)) return null;
  const start = process.platform === "linux" ? await startFromProc(pid) : await startFromPs(pid);
  if (start === null) return signalable(pid) ? UNKNOWN_START : null;
  return start === "" ? null : createHash("sha256").update(start).digest("hex").slice(0, 16);
}

/** Waits until the process has ended. @returns false when it still runs after `timeoutMs` */
export async function waitForExit(pid: number, start: string, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if ((await processStart(pid)) !== start) return true;
    if (Date.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
}

/** proc_pid_stat(5): field 3 is the state, 22 the start in clock ticks since the boot; the name in field 2 may hold anything. */
async function startFromProc(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return fields[0] === "Z" || fields[0] === "X" ? "" : `${boot.trim()} ${fields[19]}`;
}

async function startFromPs(pid: number): Promise<string | null> {
  const args = ["-o", "stat=,lstart=", "-p", String(pid)];
  const answer = await promisify(execFile)("ps", args, { env: { LC_ALL: "C", PATH: "/bin:/usr/bin" } }).catch(
    () => null,
  );
  const line = answer?.stdout.trim();
  if (line === undefined || line === "") return null;
  return line.startsWith("Z") ? "" : line.replace(/^\S+\s+/, "");
}

function signalable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
