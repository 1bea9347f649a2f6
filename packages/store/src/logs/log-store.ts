import type { LogReader, LogRetention, LogStore } from "@tailrace/core";
import type { Announcements } from "../announcements.ts";
import type { Database } from "../database.ts";
import { translated, translatedAll } from "../translated.ts";
import { LOG_CHANNEL } from "./announce-logs.ts";
import { readChunks } from "./chunks/read-chunks.ts";
import { replaceChunks } from "./chunks/replace-chunks.ts";
import { commitLogs } from "./commit/commit-logs.ts";
import { listGaps } from "./gaps/list-gaps.ts";
import { handOver } from "./handovers/hand-over.ts";
import { listHandovers } from "./handovers/list-handovers.ts";
import { deleteHandover, keepUnjoined } from "./handovers/settle-handover.ts";
import { ChunkCache } from "./read/chunk-cache.ts";
import { exportLogs } from "./read/export-logs.ts";
import { listLogStreams } from "./read/list-log-streams.ts";
import { readLogPage, type PageLimits } from "./read/read-page.ts";
import { readTail } from "./read/read-tail.ts";
import { searchLogs } from "./read/search-logs.ts";
import { deleteExpiredLogs } from "./retention/delete-expired-logs.ts";
import { dropDaysBefore } from "./retention/drop-days.ts";
import { prepareDay } from "./retention/prepare-day.ts";
import type { ScanPool } from "./scan/scan-pool.ts";
import { listStreams } from "./streams/list-streams.ts";
import { openStream } from "./streams/open-stream.ts";
import { sealStream } from "./streams/seal-stream.ts";

/** What one search for readers may cost, see {@link PageLimits}. */
export const PAGE_LIMITS: PageLimits = {
  timeMs: 5_000,
  scannedBytes: 256 * 1024 * 1024,
  shownBytes: 8 * 1024 * 1024,
};
const SEARCH_MS = 15_000;

export interface LogStoreDeps {
  database: Database;
  /** Connections of their own: whoever reads much must not keep the others from writing. */
  readers: Database;
  scans: ScanPool;
  announcements: Announcements<typeof LOG_CHANNEL>;
}

/** The store's verbs for logs, as core's ports name them. */
export function makeLogStore(deps: LogStoreDeps): LogStore & LogRetention & LogReader {
  const { pool } = deps.database;
  const { scans, announcements } = deps;
  const readers = deps.readers.pool;
  const chunks = new ChunkCache();
  return {
    openStream: (open) => translated(openStream(pool, open)),
    listStreams: (stepId) => translated(listStreams(pool, stepId)),
    commitLogs: (commits) => translated(commitLogs(pool, commits)),
    readChunks: (stream, range) => translatedAll(readChunks(pool, stream, range)),
    listGaps: (stream) => translated(listGaps(pool, stream)),
    replaceChunks: (stream, fence, chunk) => translated(replaceChunks(pool, stream, fence, chunk)),
    sealStream: (stream, fence, seal) => translated(sealStream(pool, stream, fence, seal)),
    handOver: (commit) => translated(handOver(pool, commit)),
    listHandovers: (stream) => translated(listHandovers(pool, stream)),
    settleHandover: (id, result) => translated(result === "joined" ? deleteHandover(pool, id) : keepUnjoined(pool, id)),
    onLogsWritten: (listener) => announcements.subscribe(LOG_CHANNEL, listener),
    prepareDay: (day) => translated(prepareDay(pool, day)),
    dropDaysBefore: (day) => translated(dropDaysBefore(pool, day)),
    deleteExpiredLogs: (options) => translated(deleteExpiredLogs(pool, options)),
    listLogStreams: (teamId, runId) => translated(listLogStreams(pool, teamId, runId)),
    readLogPage: (query, signal) =>
      translated(readLogPage({ pool: readers, scans, chunks, limits: PAGE_LIMITS }, query, signal)),
    searchLogs: (query, signal) =>
      translated(searchLogs({ pool: readers, scans, chunks, timeMs: SEARCH_MS }, query, signal)),
    exportStream: (stream, signal) => translatedAll(exportLogs(readers, [stream], signal)),
    exportMerged: (streams, signal) => translatedAll(exportLogs(readers, streams, signal)),
    readTail: (stream, limits) => translated(readTail(readers, stream, limits)),
  };
}
