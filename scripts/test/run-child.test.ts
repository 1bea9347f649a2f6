import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const RUN_CHILD = new URL("../run-child.js", import.meta.url).href;

/** Says its own pid and that of a child of its own, then each signal it gets; ends with 7 on SIGTERM. */
const PROGRAM = `
import { spawn } from "node:child_process";
const left = spawn("sleep", ["600"], { stdio: "ignore" });
process.on("SIGINT", () => console.log("got SIGINT"));
process.on("SIGTERM", () => { console.log("got SIGTERM"); process.exit(7); });
console.log("started " + process.pid + " " + left.pid);
setInterval(() => undefined, 1000);
`;

const WRAPPER = `
import { runNode } from ${JSON.stringify(RUN_CHILD)};
process.exitCode = await runNode(process.execPath, [process.argv[2]]);
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-run-child-"));
  await writeFile(join(folder, "program.mjs"), PROGRAM);
  await writeFile(join(folder, "dies.mjs"), `process.kill(process.pid, "SIGKILL");`);
  await writeFile(join(folder, "wrapper.mjs"), WRAPPER);
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

interface Wrapped extends AsyncDisposable {
  wrapper: ChildProcess;
  exited: Promise<[number | null, string | null]>;
  output(): string;
  /** The program's process and its child's. */
  pids(): Promise<number[]>;
}

function wrap(program: string, env: Record<string, string> = {}, shell = false): Wrapped {
  const command = [process.execPath, join(folder, "wrapper.mjs"), join(folder, program)];
  const { npm_lifecycle_event: _, ...outer } = process.env;
  // With a command behind it a shell waits for this one, as npm's shell does.
  const args = shell ? ["sh", "-c", `"$0" "$@"; exit $?`, ...command] : command;
  const wrapper = spawn(args[0]!, args.slice(1), { env: { ...outer, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(wrapper, "exit") as Promise<[number | null, string | null]>;
  let text = "";
  wrapper.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const pids = async (): Promise<number[]> => {
    await vi.waitFor(() => expect(text).toMatch(/started \d+ \d+\n/), { timeout: 10_000 });
    return /started (\d+) (\d+)/.exec(text)!.slice(1).map(Number);
  };
  const dispose = async (): Promise<void> => {
    if (wrapper.exitCode === null && wrapper.signalCode === null) wrapper.kill("SIGTERM");
    await exited;
  };
  return { wrapper, exited, output: () => text, pids, [Symbol.asyncDispose]: dispose };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
}

describe("runNode", () => {
  it("passes a signal on, takes the program's exit code, and ends what the program left", async () => {
    await using run = wrap("program.mjs");
    const [program, left] = await run.pids();
    run.wrapper.kill("SIGTERM");
    expect(await run.exited).toEqual([7, null]);
    expect(run.output()).toContain("got SIGTERM\n");
    await gone(program!);
    await gone(left!);
  });

  it("takes signals that come together for one", async () => {
    await using run = wrap("program.mjs");
    await run.pids();
    run.wrapper.kill("SIGINT");
    // Two that wait to be delivered would be one already for the operating system.
    await once(run.wrapper.stdout!, "data");
    run.wrapper.kill("SIGINT");
    run.wrapper.kill("SIGTERM");
    await run.exited;
    expect(run.output().match(/got SIGINT/g)).toHaveLength(1);
  });

  it("ends with 128 + n where a signal ended the program", async () => {
    await using run = wrap("dies.mjs");
    expect(await run.exited).toEqual([137, null]);
  });

  it("ends the program when it is killed itself", async () => {
    await using run = wrap("program.mjs");
    const [program, left] = await run.pids();
    run.wrapper.kill("SIGKILL");
    await gone(program!);
    expect(run.output()).toContain("got SIGTERM\n");
    process.kill(left!);
  });

  it("ends the program when npm's shell is gone", async () => {
    await using run = wrap("program.mjs", { npm_lifecycle_event: "demo" }, true);
    const [program, left] = await run.pids();
    run.wrapper.kill("SIGKILL");
    await gone(program!);
    await gone(left!);
  });
});
