/** A process that owns an embedded PostgreSQL in the directory it is given, and tells where, until it is ended. */
import { startEmbeddedPostgres } from "../src/index.ts";
import { quiet } from "./quiet.ts";

function tell(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

try {
  const server = await startEmbeddedPostgres({ dataDir: process.argv[2]!, log: quiet, durable: false });
  tell({ url: server.url, pid: server.pid });
  // The end of the input is that of the test, also of one that failed.
  process.stdin.resume().once("end", () => void server.close());
  process.once("SIGTERM", () => process.stdin.destroy() && void server.close());
} catch (error) {
  tell({ code: (error as { code?: unknown }).code, message: String(error) });
}
