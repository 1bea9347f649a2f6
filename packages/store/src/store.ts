import {
  TailraceError,
  type LogReader,
  type LogRetention,
  type LogStore,
  type PageRequest,
  type Store,
} from "@tailrace/core";
import { sql } from "./drizzle.ts";
import { openAnnouncements } from "./announcements.ts";
import { claimCleanups } from "./cleanups/claim-cleanups.ts";
import { finishCleanup } from "./cleanups/finish-cleanup.ts";
import { postponeCleanup } from "./cleanups/postpone-cleanup.ts";
import { retryCleanup } from "./cleanups/retry-cleanup.ts";
import { openDatabase, type DatabaseOptions } from "./database.ts";
import { LOG_CHANNEL } from "./logs/announce-logs.ts";
import { makeLogStore } from "./logs/log-store.ts";
import { ScanPool } from "./logs/scan/scan-pool.ts";
import { createRun } from "./runs/create-run.ts";
import { deleteRun } from "./runs/delete-run.ts";
import { findRepeatedRun } from "./runs/find-repeated-run.ts";
import { getRunProgress } from "./runs/get-run-progress.ts";
import { getRun } from "./runs/get-run.ts";
import { listRuns } from "./runs/list-runs.ts";
import { requestStop } from "./runs/request-stop.ts";
import { createScenario } from "./scenarios/create-scenario.ts";
import { deleteScenario } from "./scenarios/delete-scenario.ts";
import { getScenario } from "./scenarios/get-scenario.ts";
import { listScenarios } from "./scenarios/list-scenarios.ts";
import { replaceScenario } from "./scenarios/replace-scenario.ts";
import { STEP_CHANNEL } from "./steps/announce-step.ts";
import { claimSteps } from "./steps/claim-steps.ts";
import { readClock } from "./steps/read-clock.ts";
import { releaseLeases } from "./steps/release-leases.ts";
import { renewLeases } from "./steps/renew-leases.ts";
import { writeStep } from "./steps/write-step.ts";
import { createTeam } from "./teams/create-team.ts";
import { createToken } from "./teams/create-token.ts";
import { deleteToken } from "./teams/delete-token.ts";
import { findToken } from "./teams/find-token.ts";
import { getTeam } from "./teams/get-team.ts";
import { listTeams } from "./teams/list-teams.ts";
import { listTokens } from "./teams/list-tokens.ts";
import { updateTeam } from "./teams/update-team.ts";
import { translated } from "./translated.ts";

/** The store on a PostgreSQL that {@link migrate} has prepared. It owns its connections until it is closed. */
export interface PostgresStore extends Store, LogStore, LogRetention, LogReader, AsyncDisposable {
  /** Waits for the statements under way and closes all connections. Idempotent. */
  close(): Promise<void>;
}

const MAX_PAGE = 200;

/** How many may search in logs at once; with them the memory for it is bounded. */
const LOG_READERS = 4;

/**
 * Every verb throws a TailraceError: BAD_REQUEST for text that PostgreSQL does not take (NUL), UNAVAILABLE for a
 * failure after which the same call may be repeated (see {@link retryable}), and those that the port names.
 *
 * @throws DatabaseError `invalid_url` or `unreachable`
 */
export async function openStore(options: DatabaseOptions): Promise<PostgresStore> {
  const announcements = await openAnnouncements(options.databaseUrl, [STEP_CHANNEL, LOG_CHANNEL], options.log);
  const database = openDatabase(options);
  const readers = openDatabase({ ...options, poolSize: LOG_READERS }, "tailrace reader");
  const scans = new ScanPool();
  const { db } = database;
  const close = async (): Promise<void> => {
    await Promise.all([announcements.close(), database.close(), readers.close(), scans.close()]);
  };
  return {
    createTeam: (team) => translated(createTeam(db, team)),
    getTeam: (id) => translated(getTeam(db, id)),
    updateTeam: (id, change) => translated(updateTeam(db, id, change)),
    listTeams: (page) => paged(page, () => listTeams(db, page)),
    createToken: (token) => translated(createToken(db, token)),
    findToken: (hash) => translated(findToken(db, hash)),
    listTokens: (teamId) => translated(listTokens(db, teamId)),
    deleteToken: (teamId, tokenId) => translated(deleteToken(db, teamId, tokenId)),
    createScenario: (scenario) => translated(createScenario(db, scenario)),
    getScenario: (teamId, id) => translated(getScenario(db, teamId, id)),
    listScenarios: (teamId, page) => paged(page, () => listScenarios(db, teamId, page)),
    replaceScenario: (scenario, expected) => translated(replaceScenario(db, scenario, expected)),
    deleteScenario: (teamId, id) => translated(deleteScenario(db, teamId, id)),
    findRepeatedRun: (teamId, use) => translated(findRepeatedRun(db, teamId, use)),
    createRun: (run) => translated(createRun(database, run)),
    getRun: (teamId, runId) => translated(getRun(db, teamId, runId)),
    getRunProgress: (teamId, runId) => translated(getRunProgress(db, teamId, runId)),
    listRuns: (teamId, page) => paged(page, () => listRuns(db, teamId, page)),
    requestStop: (teamId, runId) => translated(requestStop(database, teamId, runId)),
    deleteRun: (teamId, runId) => translated(deleteRun(database, teamId, runId)),
    clock: () => translated(readClock(db)),
    claimSteps: (claim) => translated(claimSteps(db, claim)),
    renewLeases: (claim) => translated(renewLeases(db, claim)),
    releaseLeases: (holder) => translated(releaseLeases(database, holder)),
    writeStep: (id, fence, patch) => translated(writeStep(db, id, fence, patch)),
    claimCleanups: (claim) => translated(claimCleanups(db, claim)),
    finishCleanup: (stepId) => translated(finishCleanup(db, stepId)),
    postponeCleanup: (stepId) => translated(postponeCleanup(db, stepId)),
    retryCleanup: (stepId, delayMs, error) => translated(retryCleanup(db, stepId, delayMs, error)),
    ping: async () => void (await translated(db.execute(sql`select 1`))),
    onStepAnnounced: (listener) => announcements.subscribe(STEP_CHANNEL, listener),
    ...makeLogStore({ database, readers, scans, announcements }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function paged<T>(page: PageRequest, read: () => Promise<T>): Promise<T> {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE) {
    const message = `limit must be an integer from 1 to ${MAX_PAGE}`;
    throw new TailraceError("BAD_REQUEST", message, { issues: [{ path: "limit", message }] });
  }
  return translated(read());
}
