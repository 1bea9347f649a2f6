import type { LogRetention, LogStore } from "@tailrace/core";
import type { Logger } from "pino";
import { backoffMs } from "../supervisor/backoff.ts";
import { Waker } from "../supervisor/waker.ts";
import { adoptSpools } from "./spool/folder.ts";

export interface RetentionOptions {
  store: LogRetention & Pick<LogStore, "handOver">;
  /** Null keeps logs for ever. */
  retentionDays: number | null;
  spoolDirectory: string;
  log: Logger;
}

const INTERVAL_MS = 60_000;
const DAY_MS = 86_400_000;

/** Chunks deleted by one statement, so that none takes long. */
const STEP_CHUNKS = 500;

/** Makes room for the next days' logs and removes those that are too old, for as long as the server runs. */
export function startRetention(options: RetentionOptions): AsyncDisposable {
  const abort = new AbortController();
  const running = run(options, abort.signal);
  return {
    async [Symbol.asyncDispose]() {
      abort.abort();
      await running;
    },
  };
}

async function run(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  const waker = new Waker();
  for (let failures = 0; !signal.aborted;) {
    try {
      await keepUp(options, signal);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!signal.aborted)
        options.log.warn({ err: error, failures }, "could not keep the logs' storage in order, trying again");
    }
    await waker.sleep(failures === 0 ? INTERVAL_MS : backoffMs(failures, Math.random()), signal);
  }
}

async function keepUp(
  { store, retentionDays, spoolDirectory, log }: RetentionOptions,
  signal: AbortSignal,
): Promise<void> {
  const now = Date.now();
  await store.prepareDay(dayOf(now));
  if (retentionDays !== null) {
    const dropped = await store.dropDaysBefore(dayOf(now - retentionDays * DAY_MS));
    if (dropped.length > 0) log.info({ days: dropped }, "removed logs that are older than TAILRACE_LOG_RETENTION");
  }
  while (!signal.aborted && (await store.deleteExpiredLogs({ maxChunks: STEP_CHUNKS })));
  if (!signal.aborted) await adoptSpools(spoolDirectory, store, log);
}

/** `YYYY-MM-DD` in UTC. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
