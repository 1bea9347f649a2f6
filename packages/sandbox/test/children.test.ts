import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir, mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startSandbox } from "@tailrace/sandbox";
import { LEDGER_FILE, OWNER_FILE } from "../src/kubelet/leftovers.ts";
import { CORE, IMAGE, openSandbox, PATH, until, type Json } from "./support.ts";

/** Ignores SIGTERM, and has a child of its own; the kubelet makes `$` of `$$`. */
const STUBBORN = "trap '' TERM; sleep 600 & echo pid $$$$ $!; while true; do sleep 1; done";
const pod = (name: string): Json => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", image: IMAGE, command: ["sh", "-c", STUBBORN] }] },
});
const pidsIn = (log: string): number[] => (/^pid (\d+) (\d+)$/m.exec(log)?.slice(1) ?? []).map(Number);

/** A process that has ended counts as dead also before init has seen it. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

test("closing ends every process, those that ignore SIGTERM too, and removes the files", async () => {
  await using there = await openSandbox();
  await there.send("POST", `${CORE}/pods`, pod("p"));
  const pids = await until("the processes", async () => {
    const found = pidsIn((await there.send("GET", `${CORE}/pods/p/log`)).text);
    return found.length === 2 && found;
  });
  expect(pids.map(isAlive)).toEqual([true, true]);
  await there.sandbox.close();
  await there.sandbox.close();
  expect(pids.map(isAlive)).toEqual([false, false]);
  expect(await readdir(there.dataDir)).toEqual([]);
  expect(there.problems).toEqual([]);
});

test("a deleted pod's process that ignores SIGTERM is killed after its grace period", async () => {
  await using there = await openSandbox();
  await there.send("POST", `${CORE}/pods`, {
    ...pod("p"),
    spec: { ...pod("p").spec, terminationGracePeriodSeconds: 1 },
  });
  const pids = await until("the processes", async () => {
    const found = pidsIn((await there.send("GET", `${CORE}/pods/p/log`)).text);
    return found.length === 2 && found;
  });
  await there.send("DELETE", `${CORE}/pods/p`);
  await until("the pod's end", async () => (await there.send("GET", `${CORE}/pods/p`)).status === 404);
  await until("the processes' end", () => !pids.some(isAlive));
});

test("when the sandbox's own process is killed its children die, and the next start clears up", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tailrace-sandbox-"));
  const program = `
    import { startSandbox } from "@tailrace/sandbox";
    const sandbox = await startSandbox({ dataDir: ${JSON.stringify(dataDir)}, path: ${JSON.stringify(PATH)}, mode: "replay" });
    const headers = { authorization: "Bearer " + sandbox.token, "content-type": "application/json" };
    await fetch(sandbox.url + "${CORE}/pods", { method: "POST", headers, body: ${JSON.stringify(JSON.stringify(pod("p")))} });
    for (;;) {
      const text = await (await fetch(sandbox.url + "${CORE}/pods/p/log", { headers })).text();
      if (text.startsWith("pid")) { console.log(text.trim()); break; }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", program], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const pids = pidsIn(line.toString().trim());
  expect(pids.map(isAlive)).toEqual([true, true]);
  child.kill("SIGKILL");
  await once(child, "exit");
  await until("the children's end", () => !pids.some(isAlive));
  expect(await readdir(dataDir)).toHaveLength(1);
  const next = await startSandbox({ dataDir, mode: "replay" });
  expect(await readdir(dataDir)).toHaveLength(1);
  await next.close();
  expect(await readdir(dataDir)).toEqual([]);
  await rm(dataDir, { recursive: true });
});

test("a start ends what a killed sandbox left, and nothing else", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tailrace-sandbox-"));
  const folder = join(dataDir, "sandbox-left");
  await mkdir(folder);
  const [ours, others] = [folder, tmpdir()].map((cwd) =>
    spawn("sleep", ["600"], { cwd, detached: true, stdio: "ignore" }),
  ) as [ReturnType<typeof spawn>, ReturnType<typeof spawn>];
  const gone = once(ours, "exit");
  const dead = spawn("true");
  await once(dead, "exit");
  await writeFile(join(folder, OWNER_FILE), String(dead.pid));
  await writeFile(join(folder, LEDGER_FILE), `${ours.pid}\n${others.pid}\n`);
  const told: string[] = [];
  const sandbox = await startSandbox({ dataDir, mode: "replay", onLog: (line) => told.push(line) });
  await gone;
  expect(isAlive(others.pid!)).toBe(true);
  expect(told).toEqual([`ending process ${ours.pid}, left behind by a sandbox that was killed`]);
  others.kill("SIGKILL");
  await sandbox.close();
  await rm(dataDir, { recursive: true });
});

test("a k6 that is named must be one that can be run", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tailrace-sandbox-"));
  await expect(startSandbox({ dataDir, k6Bin: "/nowhere/k6" })).rejects.toThrow("/nowhere/k6 is not an executable k6");
  await expect(startSandbox({ dataDir, mode: "k6", path: "/nowhere" })).rejects.toThrow("there is no k6 on the path");
  const sandbox = await startSandbox({ dataDir, path: "/nowhere" });
  expect(sandbox.runsRealK6).toBe(false);
  await sandbox.close();
  await rm(dataDir, { recursive: true });
});
