import { spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { readUse, type ProcessUse } from "./processes.ts";

/** How often a process is looked at; what it does behind the last look is not counted. */
const LOOK_MS = 20;

export interface CommandUse extends ProcessUse {
  /** From its start to its end. */
  seconds: number;
}

export interface Command {
  file: string;
  args: readonly string[];
  /** Given what it prints; without it that goes to /dev/null. */
  output?: (stdout: Readable) => Promise<void>;
  /** Exit codes that are no failure. (Default: 0 alone) */
  codes?: readonly number[];
}

/** Runs a program to its end and counts what it takes. @throws Error when it fails */
export async function runCommand(
  { file, args, output, codes = [0] }: Command,
  signal: AbortSignal,
): Promise<CommandUse> {
  const stdio: StdioOptions = ["ignore", output === undefined ? "ignore" : "pipe", "pipe"];
  const started = performance.now();
  const child = spawn(file, args, { stdio, signal });
  let complaint = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2000)));
  const read = output?.(child.stdout!);
  let use: ProcessUse = { cpuSeconds: 0, peakRssMb: 0 };
  const look = setInterval(() => {
    if (child.pid !== undefined) void readUse(child.pid).then((now) => (use = now ?? use));
  }, LOOK_MS);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    const seconds = (performance.now() - started) / 1000;
    await read;
    if (code === null || !codes.includes(code)) throw new Error(`${file} ended with ${code}: ${complaint.trim()}`);
    return { ...use, seconds };
  } finally {
    clearInterval(look);
  }
}

/** Whether a program is there. */
export async function isInstalled(file: string, versionFlag = "--version"): Promise<boolean> {
  const child = spawn(file, [versionFlag], { stdio: "ignore" });
  return await once(child, "close").then(
    () => true,
    () => false,
  );
}
