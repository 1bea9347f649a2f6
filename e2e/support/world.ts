import type { RequestLogEntry, SandboxOptions } from "@tailrace/sandbox";
import { openTcpProxy, type TcpProxy } from "../../apps/server/test/support/tcp-proxy.ts";
import { openDatabase, type Database } from "./database.ts";
import { METRICS_TOKEN } from "./metrics.ts";
import { openSandbox, type TestSandbox } from "./sandbox.ts";
import { spawnServer, temporaryFolder, type ServerProcess } from "./server.ts";

export interface WorldOptions {
  sandbox?: Omit<SandboxOptions, "dataDir" | "mode" | "requestLog">;
  /** Of every server. */
  env?: Record<string, string>;
}

/** A cluster, a database, and servers that share both and the folder of their data. */
export interface World extends AsyncDisposable {
  there: TestSandbox;
  /** Not behind the line. */
  database: Database;
  /** Between the servers and their database. */
  line: TcpProxy;
  /** Every request that the cluster and its kubelet got. */
  requests: RequestLogEntry[];
  /** Starts a server, which ends with the world. */
  serve(env?: Record<string, string>): Promise<ServerProcess>;
}

export async function openWorld({ sandbox, env }: WorldOptions = {}): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const requests: RequestLogEntry[] = [];
  const requestLog = (entry: RequestLogEntry): void => void requests.push(entry);
  const there = parts.use(await openSandbox({ mode: "replay", requestLog, ...sandbox }));
  const database = parts.use(await openDatabase());
  const url = new URL(database.url);
  const line = parts.use(await openTcpProxy(Number(url.port)));
  url.port = String(line.port);
  const folder = parts.use(await temporaryFolder());
  const servers = parts.use(new AsyncDisposableStack());
  // Servers that end want to give their leases back.
  parts.defer(() => {
    line.accept();
    line.resume();
  });
  const common = {
    ...there.env,
    DATABASE_URL: url.href,
    TAILRACE_AUTH: "none",
    TAILRACE_METRICS_TOKEN: METRICS_TOKEN,
    TAILRACE_DATA_DIR: folder.path,
    ...env,
  };
  const owned = parts.move();
  return {
    there,
    database,
    line,
    requests,
    serve: async (more) => servers.use(await spawnServer("start", { ...common, ...more })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
