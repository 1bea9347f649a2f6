import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run } from "@tailrace/client";
import { formatContainerLogs } from "@tailrace/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Io, runCli } from "../src/index.ts";
import { ADMIN, type DrivenStep, type TestServer, startServer } from "./server.ts";

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startServer();
  folder = await mkdtemp(join(tmpdir(), "tailrace-cli-"));
  await writeFile(join(folder, "Check Out.js"), "export default () => {}");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface Shell {
  code: Promise<number>;
  stdout(): string;
  stderr(): string;
  interrupt(): void;
}

/** Runs the command line with its streams and signals in the test's hands. */
function tailrace(args: string[], env: Record<string, string> = {}, terminal = false): Shell {
  let [stdout, stderr] = ["", ""];
  const listeners = new Set<() => void>();
  const io: Io = {
    stdout: { write: (text) => (stdout += text), isTTY: terminal, columns: 80 },
    stderr: { write: (text) => (stderr += text), isTTY: terminal, columns: 80 },
    env: { TAILRACE_URL: server.origin, TAILRACE_TOKEN: ADMIN, ...env },
    cwd: folder,
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const interrupt = (): void => {
    for (const listener of listeners) listener();
  };
  return { code: runCli(args, io), stdout: () => stdout, stderr: () => stderr, interrupt };
}

function logs(step: DrivenStep, runners: string[][]): string {
  const { name } = step.record.config;
  const section = (pod: string, lines: string[]) => ({
    pod: `${name}-${pod}-abcde`,
    container: null,
    restart: 0,
    state: "log" as const,
    reason: null,
    lines,
  });
  return formatContainerLogs([
    section("starter", ["go"]),
    ...runners.map((lines, index) => section(String(index + 1), lines)),
  ]);
}

async function seen(shell: Shell, text: string): Promise<void> {
  await vi.waitFor(() => expect(shell.stdout() + shell.stderr()).toContain(text), { timeout: 10_000 });
}

describe("tailrace run", () => {
  it("makes a scenario of a script, follows all runners and ends with the run", async () => {
    const shell = tailrace(["run", "Check Out.js", "-p", "2", "-c", "nightly", "-e", "A=1=2", "-e", "B="]);
    const step = await server.nextStep();
    expect(step.record.config).toMatchObject({
      script: "export default () => {}",
      parallelism: 2,
      env: { A: "1=2", B: "" },
    });
    await step.write({ status: "running", stage: "started", containerLogs: logs(step, [["a"], ["b"]]) });
    await seen(shell, "runner 2/2  │ b\n");
    await step.write({ containerLogs: logs(step, [["a", "c"], ["b"]]) });
    await seen(shell, "runner 1/2  │ c\n");
    await step.write({
      status: "finished",
      stage: "finished",
      finishedAt: new Date(),
      containerLogs: logs(step, [
        ["a", "c"],
        ["b", "d"],
      ]),
    });
    expect(await shell.code).toBe(0);
    expect(shell.stdout()).toBe(
      ["starter     │ go", "runner 1/2  │ a", "runner 2/2  │ b", "runner 1/2  │ c", "runner 2/2  │ d", ""].join("\n"),
    );
    expect(shell.stderr()).toContain("● started");
    expect(shell.stderr()).toContain("✓ finished");
    expect(shell.stderr()).toContain(`tailrace logs ${step.record.runId}`);
    const run = await server.store.getRun("demo", step.record.runId);
    expect(run).toMatchObject({ scenarioId: "check-out", comment: "nightly" });
  });

  it("gives the scenario of the same file its new script", async () => {
    await writeFile(join(folder, "Check Out.js"), "export default () => { /* 2 */ }");
    const shell = tailrace(["run", "./Check Out.js", "--detach"]);
    const step = await server.nextStep();
    expect(step.record.config.script).toBe("export default () => { /* 2 */ }");
    expect(await shell.code).toBe(0);
    expect(shell.stdout()).toBe(`${step.record.runId}\n`);
    await step.write({ status: "finished", finishedAt: new Date() });
  });

  it("ends with 1 and the reason when the run ends in error, with the run as JSON on stdout", async () => {
    const shell = tailrace(["run", "check-out", "--json"]);
    const step = await server.nextStep();
    await step.write({ status: "error", stage: "error", error: "the script threw", finishedAt: new Date() });
    expect(await shell.code).toBe(1);
    expect(JSON.parse(shell.stdout()) as Run).toMatchObject({ id: step.record.runId, status: "error" });
    expect(shell.stderr()).toMatch(/✗ error[^]*the script threw/);
  });

  it("stops the run at the first Ctrl-C and follows it to its end", async () => {
    const shell = tailrace(["run", "check-out"]);
    const step = await server.nextStep();
    await step.write({ status: "running", stage: "started", containerLogs: logs(step, [["a"]]) });
    await seen(shell, "│ a");
    shell.interrupt();
    await vi.waitFor(async () => {
      expect(await server.store.getRun("demo", step.record.runId)).toMatchObject({ status: "stopping" });
    });
    await step.write({ status: "finished", finishedAt: new Date(), containerLogs: logs(step, [["a", "summary"]]) });
    expect(await shell.code).toBe(130);
    expect(shell.stdout()).toContain("runner 1/1  │ summary\n");
    expect(shell.stderr()).toContain("finished after a stop");
  });

  it("leaves the run to the server at the second Ctrl-C", async () => {
    const shell = tailrace(["run", "check-out"]);
    const step = await server.nextStep();
    await seen(shell, "pending");
    shell.interrupt();
    await seen(shell, "● stopping");
    shell.interrupt();
    expect(await shell.code).toBe(130);
    expect(shell.stderr()).toContain("goes on without being followed");
    await step.write({ status: "finished", finishedAt: new Date() });
  });

  it("stops the run after --timeout and ends with 4", async () => {
    const shell = tailrace(["run", "check-out", "--timeout", "1s"]);
    const step = await server.nextStep();
    await vi.waitFor(
      async () => expect((await server.store.getRun("demo", step.record.runId))?.stopRequestedAt).not.toBeNull(),
      { timeout: 10_000 },
    );
    await step.write({ status: "finished", finishedAt: new Date() });
    expect(await shell.code).toBe(4);
  });

  it("keeps a progress line at the bottom of a terminal, in colours that NO_COLOR takes away", async () => {
    const shells = [tailrace(["run", "check-out"], {}, true), tailrace(["run", "check-out"], { NO_COLOR: "1" }, true)];
    const steps = [await server.nextStep(), await server.nextStep()];
    for (const step of steps) {
      await step.write({ status: "running", stage: "started", containerLogs: logs(step, [["a"]]) });
    }
    for (const shell of shells) await seen(shell, "started");
    for (const step of steps) await step.write({ status: "finished", finishedAt: new Date() });
    expect(await Promise.all(shells.map((shell) => shell.code))).toEqual([0, 0]);
    expect(shells[0]!.stdout()).toContain("\u001b[36mrunner 1/1  │\u001b[39m a\n");
    expect(shells[1]!.stdout()).toContain("runner 1/1  │ a\n");
    expect(shells[1]!.stderr()).toContain("\r\u001b[K● started  0:0");
  });
});

describe("what goes wrong", () => {
  it.each([
    [["run", "check-out", "-p", "11"], "parallelism must be an integer from 1 to 10, got 11"],
    [["run", "check-out", "-p", "1.5"], "parallelism must be an integer from 1 to 10, got 1.5"],
    [["run", "check-out", "-p", "three"], "parallelism must be an integer from 1 to 10"],
    [["run", "check-out", "-e", "=x"], "NAME=value"],
    [["run", "check-out", "--timeout", "soon"], "90s, 10m or 1h30m"],
    [["run", "no/such/file.js"], "is no file here"],
    [["run"], "missing required argument"],
    [["ls", "--url", "ftp://x"], "must be an http or https origin"],
    [["launch"], "unknown command"],
  ])("%j ends with 2 and says why", async (args, message) => {
    const shell = tailrace(args);
    expect(await shell.code).toBe(2);
    expect(shell.stderr()).toContain(message);
  });

  it("ends with 3 where the server refuses", async () => {
    const unknown = tailrace(["run", "no-such-scenario"]);
    expect(await unknown.code).toBe(3);
    expect(unknown.stderr()).toContain('"no-such-scenario"');
    const token = tailrace(["ls"], { TAILRACE_TOKEN: "wrong" });
    expect(await token.code).toBe(3);
    expect(token.stderr()).toContain("TAILRACE_TOKEN");
    const field = tailrace(["run", "check-out", "-e", "1=2"]);
    expect(await field.code).toBe(3);
    expect(field.stderr()).toContain("env.1");
  });

  it("ends with 3 where there is no server, and names it", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const shell = tailrace(["ls"], { TAILRACE_URL: `http://127.0.0.1:${port}` });
    expect(await shell.code).toBe(3);
    expect(shell.stderr()).toContain(`could not reach http://127.0.0.1:${port}`);
  });
});

describe("the small commands", () => {
  it("list, show and stop runs", async () => {
    const started = tailrace(["run", "check-out", "-d", "-c", "two\nlines"]);
    const step = await server.nextStep();
    await started.code;
    const id = step.record.runId;
    await step.write({ status: "running", containerLogs: logs(step, [["\u001b[2Ja"]]) });

    const list = tailrace(["ls", "-n", "1"]);
    expect(await list.code).toBe(0);
    expect(list.stdout()).toMatch(new RegExp(`RUN .*\n${id} +check-out +running +1 .*two lines\n$`));

    const plain = tailrace(["logs", id]);
    expect(await plain.code).toBe(0);
    expect(plain.stdout()).toBe(logs(step, [["\u001b[2Ja"]]));
    const shown = tailrace(["logs", id], { NO_COLOR: "1" }, true);
    await shown.code;
    expect(shown.stdout()).toContain("\n␛[2Ja\n");

    const stop = tailrace(["stop", id]);
    expect(await stop.code).toBe(0);
    expect(stop.stderr()).toBe(`run ${id} is stopping\n`);
    await step.write({ status: "finished", finishedAt: new Date() });
    const again = tailrace(["stop", id]);
    await again.code;
    expect(again.stderr()).toBe(`run ${id} has ended before: finished\n`);
  });

  it("print help and version", async () => {
    const help = tailrace(["run", "--help"]);
    expect(await help.code).toBe(0);
    expect(help.stdout()).toContain("Exit codes:");
    const version = tailrace(["--version"]);
    expect(await version.code).toBe(0);
    expect(version.stdout()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
