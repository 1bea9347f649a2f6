/** A process that owns an embedded PostgreSQL in the directory it is given, and tells where, until it is ended. */
import { startEmbeddedPostgres } from "../src/index.ts";

const log = { info: () => undefined, warn: () => undefined };
const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());

function tell(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

try {
  const server = await startEmbeddedPostgres({ dataDir: process.argv[2]!, log, durable: false });
  tell({ url: server.url, pid: server.pid });
  const alive = setInterval(() => undefined, 60_000);
  stop.signal.addEventListener("abort", () => {
    clearInterval(alive);
    void server.close();
  });
} catch (error) {
  tell({ code: (error as { code?: unknown }).code, message: String(error) });
}
