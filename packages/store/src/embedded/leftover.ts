import { execFile } from "node:child_process";
import { readlink, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { DatabaseError } from "../database-error.ts";
import type { StoreLog } from "../log.ts";
import { readIfThere } from "./files.ts";
import { processStart, waitForExit } from "./process-start.ts";

const FAST_SHUTDOWN_MS = 15_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/**
 * Clears what a killed process left on `pgdata`, which nobody else owns now: its PostgreSQL is stopped if it still
 * runs. If the pid in `postmaster.pid` is another program's by now, the file goes, for PostgreSQL would take that
 * program for itself; a file whose pid is nobody's it clears itself.
 */
export async function endLeftover(pgdata: string, log: StoreLog): Promise<void> {
  const pid = await readPostmasterPid(pgdata);
  const start = pid === null ? null : await processStart(pid);
  if (pid === null || start === null) return;
  if (!(await serves(pid, pgdata))) {
    log.info({ pid }, "removing a postmaster.pid whose pid is another program's");
    await rm(join(pgdata, "postmaster.pid"), { force: true });
    return;
  }
  log.warn({ pid }, "stopping the PostgreSQL that a killed server left running");
  process.kill(pid, "SIGINT");
  if (await waitForExit(pid, start, FAST_SHUTDOWN_MS)) return;
  process.kill(pid, "SIGQUIT");
  if (await waitForExit(pid, start, IMMEDIATE_SHUTDOWN_MS)) return;
  throw new DatabaseError("embedded_failed", `the PostgreSQL that a killed server left running does not end: ${pid}`);
}

async function readPostmasterPid(pgdata: string): Promise<number | null> {
  const pid = Number.parseInt((await readIfThere(join(pgdata, "postmaster.pid"))) ?? "", 10);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : null;
}

/** A postmaster's working directory is its data directory (`ChangeToDataDir`). */
async function serves(pid: number, pgdata: string): Promise<boolean> {
  if (process.platform === "linux") {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    const program = await readlink(`/proc/${pid}/exe`).catch(() => "");
    return cwd === pgdata && basename(program).startsWith("postgres");
  }
  const args = ["-o", "command=", "-p", String(pid)];
  const answer = await promisify(execFile)("ps", args, { env: { PATH: "/bin:/usr/bin" } }).catch(() => null);
  return answer?.stdout.includes(`postgres -D ${pgdata} `) ?? false;
}
