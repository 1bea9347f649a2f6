import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { serverAccount } from "../src/embedded/account.ts";
import { findBinaries, prepareBinaries } from "../src/embedded/binaries.ts";
import { processStart } from "../src/embedded/process-start.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "../src/index.ts";
import { query, quiet } from "./support.ts";

const OWNER = fileURLToPath(new URL("./embedded-owner.ts", import.meta.url));

/** A place that any account may enter, as the data directory of an installation is. */
async function temporaryDirectory(mode = 0o711): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "tailrace-embedded-"));
  await chmod(path, mode);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 10 }) };
}

/** Made once, for initdb takes a second; each test leaves it without a server. */
let used: { path: string } & AsyncDisposable;
beforeAll(async () => {
  used = await temporaryDirectory();
  const server = await start(used.path);
  await query(server.url, "create table kept as select 42 as answer");
  await server.close();
});
afterAll(() => used[Symbol.asyncDispose]());

function start(dataDir: string, signal?: AbortSignal): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, log: quiet, durable: false, signal });
}

interface Owner {
  child: ChildProcess;
  answer: { url: string; pid: number; code?: string; message?: string };
}

/** Another process that starts one; what it says first. */
async function startOwner(dataDir: string): Promise<Owner> {
  const child = spawn(process.execPath, ["--conditions=source", OWNER, dataDir], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, answer: JSON.parse(line) as Owner["answer"] };
}

async function isGone(pid: number): Promise<void> {
  await vi.waitFor(async () => expect(await processStart(pid)).toBeNull(), { timeout: 10_000 });
}

describe("startEmbeddedPostgres", () => {
  test("is a PostgreSQL 18 in UTF-8 that keeps its data between starts", async () => {
    const first = await start(used.path);
    expect(await query(first.url, "select current_setting('server_version_num')::int / 10000 as major")).toEqual([
      { major: 18 },
    ]);
    expect(await query(first.url, "show server_encoding")).toEqual([{ server_encoding: "UTF8" }]);
    expect(await query(first.url, "select upper('ü') as up")).toEqual([{ up: "Ü" }]);
    await first.close();
    await first.close();
    expect(await processStart(first.pid)).toBeNull();
    await using second = await start(used.path);
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("makes what a server needs: fsync is on, and the directories are made", async () => {
    await using directory = await temporaryDirectory();
    await using server = await startEmbeddedPostgres({ dataDir: join(directory.path, "a", "b"), log: quiet });
    expect(await query(server.url, "show fsync")).toEqual([{ fsync: "on" }]);
    expect(await query(server.url, "show data_checksums")).toEqual([{ data_checksums: "on" }]);
  });

  test("lets nobody in without the password, which its owner alone can read", async () => {
    await using server = await start(used.path);
    const login = async (change: (url: URL) => void): Promise<unknown> => {
      const url = new URL(server.url);
      change(url);
      return query(url.href, "select 1").catch((error: unknown) => error);
    };
    expect(await login(() => undefined)).toHaveLength(1);
    expect(await login((url) => (url.password = "guess"))).toMatchObject({ code: "28P01" });
    expect(await login((url) => (url.password = ""))).toBeInstanceOf(Error);
    expect(await login((url) => (url.username = "postgres"))).toMatchObject({ code: "28P01" });
    expect(await query(server.url, "show listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
    expect(await query(server.url, "show unix_socket_directories")).toEqual([{ unix_socket_directories: "" }]);
    expect((await stat(join(server.directory, "password"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(server.directory, "pgdata"))).mode & 0o777).toBe(0o700);
    const commandLine = await readFile(join(server.directory, "pgdata", "postmaster.opts"), "utf8");
    expect(commandLine).toContain("listen_addresses");
    expect(commandLine).not.toContain(new URL(server.url).password);
  });

  test("never runs as root", async () => {
    await using server = await start(used.path);
    const madeByServer = await stat(join(server.directory, "pgdata", "postmaster.pid"));
    expect(madeByServer.uid).not.toBe(0);
  });

  test("works in a directory that its owner alone can enter, at the same place each time", async () => {
    await using directory = await temporaryDirectory(0o700);
    const dataDir = join(directory.path, "data");
    const first = await start(dataDir);
    await query(first.url, "create table kept as select 42 as answer");
    await first.close();
    const second = await start(dataDir);
    await using _ = { [Symbol.asyncDispose]: () => rm(second.directory, { recursive: true, force: true }) };
    expect(second.directory).toBe(first.directory);
    expect(second.directory.startsWith(directory.path)).toBe(process.getuid?.() !== 0);
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    await expect(start(dataDir)).rejects.toMatchObject({ code: "embedded_in_use" });
    await second.close();
  });

  test("a second start refuses and names the pid of the holder, in the same process and in another one", async () => {
    const { child, answer } = await startOwner(used.path);
    await expect(start(used.path)).rejects.toMatchObject({
      code: "embedded_in_use",
      message: expect.stringContaining(`process ${child.pid};`),
    });
    const third = await startOwner(used.path);
    expect(third.answer).toMatchObject({
      code: "embedded_in_use",
      message: expect.stringContaining(`process ${child.pid};`),
    });
    expect(await query(answer.url, "select 1 as one")).toEqual([{ one: 1 }]);
    child.kill("SIGTERM");
    await once(child, "exit");
    expect(await processStart(answer.pid)).toBeNull();
    await using own = await start(used.path);
    await expect(start(used.path)).rejects.toMatchObject({
      message: expect.stringContaining(`process ${process.pid};`),
    });
    expect(await query(own.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("of six starts at the same time one gets it", async () => {
    const starts = await Promise.allSettled(Array.from({ length: 6 }, () => start(used.path)));
    const won = starts.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const result of starts)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "embedded_in_use" });
    await won[0]!.value.close();
    expect(await readdir(join(used.path, "owners"))).toEqual([]);
  });

  test("gives up when it is aborted, and leaves nothing that the next start minds", async () => {
    await using directory = await temporaryDirectory();
    const abort = new AbortController();
    const started = start(directory.path, abort.signal);
    await vi.waitFor(async () =>
      expect(await readdir(directory.path)).toContainEqual(expect.stringMatching(/^pgdata\.new-/)),
    );
    abort.abort();
    await expect(started).rejects.toMatchObject({ name: "AbortError" });
    await using server = await start(directory.path);
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect((await readdir(directory.path)).filter((name) => name.startsWith("pgdata"))).toEqual(["pgdata"]);
  });
});

describe("after a SIGKILL", () => {
  test("PostgreSQL ends by itself, and the next start has the data", async () => {
    const { child, answer } = await startOwner(used.path);
    child.kill("SIGKILL");
    await once(child, "exit");
    await isGone(answer.pid);
    await using server = await start(used.path);
    expect(await query(server.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("a start at once has the data too, also while clients are still connected", async () => {
    const { child, answer } = await startOwner(used.path);
    const client = new pg.Client({ connectionString: answer.url });
    client.on("error", () => undefined);
    await client.connect();
    child.kill("SIGKILL");
    await once(child, "exit");
    await using server = await start(used.path);
    expect(await query(server.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    await client.end();
  });

  test("a PostgreSQL that still runs is stopped, and one that crashed is recovered", async () => {
    const first = await start(used.path);
    await first.close();
    const account = await serverAccount(join(used.path, "pgdata"));
    const { postgres } = await prepareBinaries(findBinaries(), account, join(used.path, "binaries"));
    const args = ["-D", join(used.path, "pgdata"), "-c", "listen_addresses=", "-c", "unix_socket_directories=."];
    const leftover = spawn(postgres, args, { cwd: "/", stdio: "ignore", detached: true, ...account });
    const pidFile = join(used.path, "pgdata", "postmaster.pid");
    await vi.waitFor(async () => expect(await readFile(pidFile, "utf8")).toContain("ready"), { timeout: 10_000 });
    const ended = once(leftover, "exit");
    const second = await start(used.path);
    expect(await ended).toEqual([0, null]);
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    process.kill(second.pid, "SIGKILL");
    await isGone(second.pid);
    await second.close();
    await using third = await start(used.path);
    expect(await query(third.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("a pid that another program has by now is left alone", async () => {
    await (await start(used.path)).close();
    const pgdata = join(used.path, "pgdata");
    const account = await serverAccount(pgdata);
    const bystander = spawn("/bin/sleep", ["600"], { stdio: "ignore", ...account });
    await once(bystander, "spawn");
    await writeFile(join(pgdata, "postmaster.pid"), `${bystander.pid}\n${pgdata}\n1\n5432\n\n127.0.0.1\n`);
    await mkdir(join(used.path, "owners"), { recursive: true });
    await writeFile(join(used.path, "owners", `${bystander.pid}.0123456789abcdef.00.held`), "");
    const server = await start(used.path);
    expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
    await server.close();
    expect(await processStart(bystander.pid!)).not.toBeNull();
    bystander.kill();
    await once(bystander, "exit");
  });
});

describe("prepareBinaries", () => {
  test("copies what lacks its links, whole and once", async () => {
    await using directory = await temporaryDirectory();
    const installed = join(directory.path, "installed");
    await cp(findBinaries(), installed, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.includes("libpq.so") && !path.endsWith("node_modules"),
    });
    const target = findBinaries();
    await cp(join(target, "native/lib/libpq.so.5.18"), join(installed, "native/lib/libpq.so.5.18"));
    const copyTo = join(directory.path, "binaries");
    const copies = await Promise.all([1, 2].map(() => prepareBinaries(installed, null, copyTo)));
    expect(copies[0]).toEqual(copies[1]);
    expect(copies[0]!.postgres.startsWith(copyTo)).toBe(true);
    expect(await readdir(copyTo)).toHaveLength(1);
    const account = await serverAccount("/nowhere");
    const { stdout } = await promisify(execFile)(copies[0]!.initdb, ["--version"], { cwd: "/", ...account });
    expect(stdout).toContain("18.4");
    const made = (await stat(copies[0]!.postgres)).mtimeMs;
    expect(await prepareBinaries(installed, null, copyTo)).toEqual(copies[0]);
    expect((await stat(copies[0]!.postgres)).mtimeMs).toBe(made);
  });
});
