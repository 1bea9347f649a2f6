import type { K6TestRunConfig } from "../run-config/config.ts";
import type {
  Page,
  Role,
  Run,
  RunProgress,
  RunStatus,
  RunSummary,
  ScenarioConfig,
  ScenarioRecord,
  Team,
  TeamToken,
} from "../domain.ts";

/** Teams and their tokens. */
export interface TeamStore {
  /** @throws TailraceError CONFLICT when the id is taken. */
  createTeam(team: { id: string; name: string }): Promise<Team>;
  getTeam(id: string): Promise<Team | null>;
  /** Changes what is given. @param change.logRetentionDays - 1 to 3650, or null. @returns null when there is no such team. */
  updateTeam(
    id: string,
    change: { name?: string | undefined; logRetentionDays?: number | null | undefined },
  ): Promise<Team | null>;
  listTeams(page: PageRequest): Promise<Page<Team>>;
  /** @param token.hash - SHA-256 of the secret. @throws TailraceError NOT_FOUND when the team does not exist. */
  createToken(token: { id: string; teamId: string; role: Role; name: string; hash: Uint8Array }): Promise<TeamToken>;
  findToken(hash: Uint8Array): Promise<TeamToken | null>;
  listTokens(teamId: string): Promise<TeamToken[]>;
  /** @returns false when there was none. */
  deleteToken(teamId: string, tokenId: string): Promise<boolean>;
}

export interface ScenarioStore {
  /** @throws TailraceError CONFLICT when the id is taken in the team. */
  createScenario(scenario: {
    id: string;
    teamId: string;
    name: string;
    config: ScenarioConfig;
  }): Promise<ScenarioRecord>;
  getScenario(teamId: string, id: string): Promise<ScenarioRecord | null>;
  listScenarios(teamId: string, page: PageRequest): Promise<Page<Omit<ScenarioRecord, "config">>>;
  /** Replaces name and config where the stored `updatedAt` still is `expected`. @returns null when it is not, or the scenario is gone. */
  replaceScenario(
    scenario: { id: string; teamId: string; name: string; config: ScenarioConfig },
    expected: string,
  ): Promise<ScenarioRecord | null>;
  /** Its runs stay. @returns false when there was none. */
  deleteScenario(teamId: string, id: string): Promise<boolean>;
}

export interface PageRequest {
  /** The `nextCursor` of the page before; opaque. A cursor that the store did not make is a TailraceError BAD_REQUEST with path `cursor`. */
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/** Everything that a new run freezes. */
export interface NewRun {
  id: string;
  teamId: string;
  scenarioId: string;
  comment: string | null;
  step: { id: string; namespace: string; config: K6TestRunConfig };
  /** The key counts per team for 24 hours; the hash tells a repeated request from another one. */
  idempotency?: { key: string; requestHash: string } | undefined;
  /** How many runs of the team may be active (not ended) with this one. */
  maxActive: number;
}

export type CreateRunResult =
  | { kind: "created"; run: Run }
  /** The key was used for the same request before; nothing was written. */
  | { kind: "replayed"; run: Run }
  /** The key was used for another request, or its run was deleted since. */
  | { kind: "key_reused" }
  | { kind: "too_many_active"; active: number };

export interface RunStore {
  /** What {@link createRun} would answer to a key that was used before, and null for a new one. */
  findRepeatedRun(
    teamId: string,
    use: { key: string; requestHash: string },
  ): Promise<Extract<CreateRunResult, { kind: "replayed" | "key_reused" }> | null>;
  /** Run, step and idempotency key in one transaction; announces the step to the supervisors. */
  createRun(run: NewRun): Promise<CreateRunResult>;
  getRun(teamId: string, runId: string): Promise<Run | null>;
  /** The same without its logs, which may be large. */
  getRunProgress(teamId: string, runId: string): Promise<RunProgress | null>;
  /** Newest first. */
  listRuns(
    teamId: string,
    page: PageRequest & { scenarioId?: string | undefined; status?: RunStatus | undefined },
  ): Promise<Page<RunSummary>>;
  /** Sets `stopRequestedAt` once and the status of an active run to `stopping`; announces it. An ended run is left as it is. @returns null when there is no such run. */
  requestStop(teamId: string, runId: string): Promise<Run | null>;
  /** Deletes an ended run and puts what is left of it in the cluster on the cleanup list, and its logs on that of {@link LogRetention}, in one transaction. */
  deleteRun(teamId: string, runId: string): Promise<"deleted" | "active" | "not_found">;
}

/** A step as its supervisor sees it. */
export interface StepRecord {
  id: string;
  runId: string;
  teamId: string;
  namespace: string;
  config: K6TestRunConfig;
  status: RunStatus;
  stage: string | null;
  error: string | null;
  /** The UID of the TestRun that was made for this step; once set, no other is ever made. */
  testRunUid: string | null;
  /** SHA-256 of the stored container logs' UTF-8, in hexadecimal digits; null while there are none. */
  containerLogsHash: string | null;
  /** How long the script can take at most, from the initializer's report; null until it is known. */
  totalDurationMs: number | null;
  createdAt: Date;
  /** When the stage that is stored now was first seen. */
  stageChangedAt: Date | null;
  startedAt: Date | null;
  stopRequestedAt: Date | null;
  /** The fencing number of the lease under which this was read. */
  fence: number;
}

/** What changes in one write; a field that is absent stays as it is. */
export interface StepPatch {
  status?: RunStatus;
  stage?: string | null;
  error?: string | null;
  testRunUid?: string;
  containerLogs?: string;
  totalDurationMs?: number;
  stageChangedAt?: Date;
  startedAt?: Date;
  finishedAt?: Date;
  /** When the step ends: put its objects in the cluster on the cleanup list, to be released now and deleted at this time; null for never. */
  cleanup?: { deleteAt: Date | null };
}

export interface StepClaim {
  holder: string;
  namespace: string;
  ttlMs: number;
  limit: number;
  /** Steps that the holder follows already: it renews their leases. (Default: none) */
  except?: readonly string[];
  /** Until when, by the store's clock, a lease is taken that has run out; null takes none of those. (Default: at any time) */
  takeOverUntil?: Date | null;
}

export interface StepStore {
  /** The time by which leases live. */
  clock(): Promise<Date>;
  /**
   * Takes up to `limit` steps of the namespace that have not ended and whose lease is free or has run out, each with a
   * new, greater fencing number.
   */
  claimSteps(claim: StepClaim): Promise<StepRecord[]>;
  /**
   * Prolongs the holder's leases of these steps, also one that has run out and that nobody has taken: every write is
   * fenced, and so a server goes on after its database was away. One that it does not know it holds, after a claim whose
   * answer was lost, runs out.
   *
   * @returns id and fence of each step still held, with what others may have changed
   */
  renewLeases(claim: {
    holder: string;
    ids: readonly string[];
    ttlMs: number;
  }): Promise<{ id: string; fence: number; stopRequestedAt: Date | null }[]>;
  /** Gives all leases of the holder back and announces their steps, so that another takes them at once. */
  releaseLeases(holder: string): Promise<void>;
  /**
   * One UPDATE of step and run together. Writes nothing unless the step's fencing number still is `fence`. A step whose
   * stop was asked for never goes back from `stopping` to `pending` or `running`.
   * @returns the step as it is now, or null when another holder has taken it (or the run is gone).
   */
  writeStep(id: string, fence: number, patch: StepPatch): Promise<StepRecord | null>;
}

/** What is left to release and delete in the cluster, also for runs that are not in the database any more. */
export interface Cleanup {
  namespace: string;
  testRunName: string;
  /** Null when the step ended before one was known: then only a TestRun whose label names `stepId` may be deleted. */
  testRunUid: string | null;
  stepId: string;
  attempts: number;
  /** The TestRun was released: our finalizer keeps it no longer. */
  released: boolean;
  /** Whether its objects are to be deleted now, at a later time, or never. */
  deletion: "now" | "later" | "never";
}

export interface CleanupStore {
  /** Takes due entries of the namespace and hides them from others for `hideMs`. */
  claimCleanups(claim: { namespace: string; limit: number; hideMs: number }): Promise<Cleanup[]>;
  finishCleanup(stepId: string): Promise<void>;
  /** Notes that the TestRun was released, and makes the entry due when its objects are to be deleted. */
  postponeCleanup(stepId: string): Promise<void>;
  retryCleanup(stepId: string, delayMs: number, error: string): Promise<void>;
}

export interface Store extends TeamStore, ScenarioStore, RunStore, StepStore, CleanupStore {
  /** Answers when the database does. */
  ping(): Promise<void>;
  /** Calls back with a step id when a run was created, its stop was asked for or its lease was given back, by any server on this database. @returns the unsubscriber. */
  onStepAnnounced(listener: (stepId: string) => void): () => void;
}
