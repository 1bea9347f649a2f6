import { rm } from "node:fs/promises";
import { startEmbeddedPostgres } from "@tailrace/store";
import { openStallingProxy } from "../../../bench/support/stalling-proxy.ts";
import { temporaryFolder } from "../../support/server.ts";

const LOG = { info: () => undefined, warn: (_: object, message: string) => process.emitWarning(message) };

/** A PostgreSQL that can be restarted: a commit is on the disk when it is acknowledged. */
export interface RestartableDatabase extends AsyncDisposable {
  /** For servers; it stays the same. */
  url: string;
  restart(): Promise<void>;
}

export async function openRestartableDatabase(): Promise<RestartableDatabase> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const start = () => startEmbeddedPostgres({ dataDir: folder.path, log: LOG, durable: true });
  let postgres = await start();
  parts.defer(async () => {
    await postgres.close();
    await rm(postgres.directory, { recursive: true, force: true });
  });
  const proxy = parts.use(await openStallingProxy(() => postgres.port));
  const url = new URL(postgres.url);
  url.port = String(proxy.port);
  const owned = parts.move();
  return {
    url: url.href,
    async restart() {
      await postgres.close();
      postgres = await start();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
