import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, type TailraceClient } from "@tailrace/client";
import { until } from "./until.ts";
import serverProcess from "../../scripts/server-process.json" with { type: "json" };

const MAIN = fileURLToPath(new URL("../../apps/server/src/main.ts", import.meta.url));

/** A server in a process of its own, as people run it. */
export interface ServerProcess extends AsyncDisposable {
  url: string;
  client: TailraceClient;
  child: ChildProcess;
  /** What it wrote on stderr so far. */
  output(): string;
  /** Ends it as a crash would. */
  sigkill(): Promise<void>;
  /** Asks it to end. @returns its exit code */
  sigterm(): Promise<number | null>;
}

/** Starts `main.ts` with these variables and waits until it is ready. */
export async function spawnServer(mode: "demo" | "start", env: Record<string, string>): Promise<ServerProcess> {
  const port = env["PORT"] ?? String(await freePort());
  const child = spawn(process.execPath, [...serverProcess.arguments, MAIN, mode], {
    env: { ...inherited(), ...serverProcess.env, TAILRACE_LOG_FORMAT: "json", ...env, PORT: port },
    stdio: ["ignore", "inherit", "pipe"],
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return (await exited)[0];
  };
  const url = `http://127.0.0.1:${port}`;
  await until(`the server on ${url}`, async () => {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${text}`);
    return fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  }).catch(async (error: unknown) => {
    await end("SIGKILL");
    throw new Error(`${(error as Error).message}\n${text}`, { cause: error });
  });
  return {
    url,
    client: createClient({ url }),
    child,
    output: () => text,
    sigkill: async () => void (await end("SIGKILL")),
    sigterm: () => end("SIGTERM"),
    [Symbol.asyncDispose]: async () => void (await end("SIGTERM")),
  };
}

/** What of this process's environment is not about the server. */
function inherited(): Record<string, string | undefined> {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "tailrace-e2e-"));
  // The embedded PostgreSQL of a server that runs as root is another user; where it can't enter it keeps its data elsewhere.
  await chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
