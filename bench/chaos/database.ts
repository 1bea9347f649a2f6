import { chmod } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmbeddedPostgres } from "@tailrace/store";
import { Pool } from "pg";
import { openStallingProxy } from "../support/stalling-proxy.ts";
import { streamOf } from "./plan.ts";

const QUIET = { info: () => undefined, warn: () => undefined };

/** A PostgreSQL of its own that can go away and come back, as a durable one. */
export interface ChaosDatabase extends AsyncDisposable {
  /** For servers; the same whatever happens to PostgreSQL. */
  url: string;
  /** Nothing gets through for so long. */
  stall(ms: number): Promise<void>;
  /** Ends it, and starts it again after so long. @param how - `crash`: its processes are stopped at once */
  restart(how: "orderly" | "crash", ms: number): Promise<void>;
  /** Asks it itself. */
  query<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/** @param signal - ends its start only */
export async function openDatabase(folder: string, signal: AbortSignal): Promise<ChaosDatabase> {
  await chmod(folder, 0o711);
  let postgres = await startEmbeddedPostgres({ dataDir: folder, log: QUIET, signal });
  const proxy = await openStallingProxy(() => postgres.port);
  const url = new URL(postgres.url);
  url.port = String(proxy.port);
  let pool = openPool(postgres.url);
  return {
    url: url.href,
    async stall(ms) {
      proxy.stall();
      await sleep(ms);
      proxy.resume();
    },
    async restart(how, ms) {
      await pool.end();
      if (how === "crash") process.kill(postgres.pid, "SIGQUIT");
      await postgres.close();
      await sleep(ms);
      postgres = await startEmbeddedPostgres({ dataDir: folder, log: QUIET });
      pool = openPool(postgres.url);
    },
    query: async <Row>(sql: string, values: unknown[] = []) => (await pool.query(sql, values)).rows as Row[],
    async [Symbol.asyncDispose]() {
      await pool.end();
      await proxy[Symbol.asyncDispose]();
      await postgres.close();
    },
  };
}

function openPool(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 2 });
  // What happens to an idle connection shows at the next query.
  pool.on("error", () => undefined);
  return pool;
}

/** The greatest time of any stored line by stream, and how many lines are stored in all. */
export async function readStored(database: ChaosDatabase): Promise<{ times: Record<number, string>; lines: number }> {
  const rows = await database.query<{ pod: string; lines: string; time: string | null }>(
    "select pod, next_seq as lines, max_time as time from log_streams where role = 'runner'",
  );
  const times: Record<number, string> = {};
  for (const { pod, time } of rows) {
    const stream = streamOf(pod);
    if (stream !== null && time !== null) times[stream] = time;
  }
  return { times, lines: rows.reduce((sum, { lines }) => sum + Number(lines), 0) };
}

/** The fences of the steps that have not ended. */
export async function readFences(database: ChaosDatabase): Promise<Map<string, number>> {
  const rows = await database.query<{ id: string; fence: string }>(
    "select id, fence from test_run_steps where status in ('pending', 'running', 'stopping')",
  );
  return new Map(rows.map(({ id, fence }) => [id, Number(fence)]));
}

/** Takes every lease away from its holder, who is not told. */
export async function takeLeases(database: ChaosDatabase): Promise<void> {
  await database.query(
    `update test_run_steps set lease_holder = null, lease_expires_at = null
      where status in ('pending', 'running', 'stopping')`,
  );
}
