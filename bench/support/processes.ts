import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";

/** What Linux has counted for a process. */
export interface ProcessUse {
  cpuSeconds: number;
  /** The greatest resident set so far. */
  peakRssMb: number;
}

interface Stat {
  parent: number;
  /** User and system time, in ticks. */
  own: number;
  /** Of children that have ended and were waited for. */
  children: number;
}

let ticks: number | null = null;

/** Ticks of `/proc/{pid}/stat` in a second. */
function ticksPerSecond(): number {
  return (ticks ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" })));
}

/** @returns null when there is no such process */
export async function readUse(pid: number | "self"): Promise<ProcessUse | null> {
  const [stat, status] = await Promise.all([readStat(pid), readProc(pid, "status")]);
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status ?? "");
  // A process that has ended and was not waited for yet has no memory any more.
  if (stat === null || peak === null) return null;
  return { cpuSeconds: stat.own / ticksPerSecond(), peakRssMb: Number(peak[1]) / 1024 };
}

/** Seconds of a process and of all its children, those that have ended included, as far as they are its own children. */
export async function treeCpuSeconds(pid: number): Promise<number> {
  const root = await readStat(pid);
  if (root === null) return 0;
  const stats = await Promise.all((await pids()).map(readStat));
  const living = stats.reduce((sum, stat) => sum + (stat?.parent === pid ? stat.own : 0), 0);
  return (root.own + root.children + living) / ticksPerSecond();
}

/** The processes of this machine that were started under these names. */
export async function findProcesses(names: readonly string[]): Promise<{ name: string; pid: number }[]> {
  const all = await Promise.all(
    (await pids()).map(async (pid) => ({
      pid,
      name: basename((await readProc(pid, "cmdline"))?.split("\0")[0] ?? ""),
    })),
  );
  return all.filter(({ name }) => names.includes(name));
}

async function pids(): Promise<number[]> {
  return (await readdir("/proc")).map(Number).filter(Number.isInteger);
}

async function readStat(pid: number | "self"): Promise<Stat | null> {
  const text = await readProc(pid, "stat");
  if (text === null) return null;
  // The second field is a name in parentheses that may hold anything; the fields are counted from 1 (proc_pid_stat(5)).
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3]);
  return { parent: field(4), own: field(14) + field(15), children: field(16) + field(17) };
}

async function readProc(pid: number | "self", file: string): Promise<string | null> {
  try {
    return await readFile(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}
