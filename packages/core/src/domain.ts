import type { K6TestRunConfig } from "./run-config/config.ts";

/** Where a run and its step stand. `finished`: the runners ended, whatever their exit codes; `error`: it could not be executed. */
export type RunStatus = "pending" | "running" | "stopping" | "finished" | "error";

/** The statuses after which nothing changes any more. */
export const ENDED_STATUSES = ["finished", "error"] as const satisfies readonly RunStatus[];

export function isEnded(status: RunStatus): boolean {
  return status === "finished" || status === "error";
}

/** How a run is judged; `null` in a run as long as nothing judges it. */
export type Verdict =
  | "passed"
  | "failed"
  | "marked_failed"
  | "aborted"
  | "script_error"
  | "config_error"
  | "infrastructure_error";

/** What a token may do: `viewer` reads, `runner` also writes scenarios and starts and stops runs, `admin` also deletes and makes tokens. */
export type Role = "viewer" | "runner" | "admin";

/** All times are ISO 8601 strings in UTC with milliseconds, as `Date.prototype.toISOString` gives. */
export type IsoTime = string;

export interface Team {
  id: string;
  name: string;
  createdAt: IsoTime;
  /** For how many days the logs of its ended runs are kept; `null` for as long as the installation keeps any. */
  logRetentionDays: number | null;
}

/** A token as it may be shown; the secret itself is shown once, when it is made. */
export interface TeamToken {
  id: string;
  teamId: string;
  role: Role;
  name: string;
  createdAt: IsoTime;
}

/** What a scenario says about each of its runs: the run config without the name, which each run gets of its own. */
export type ScenarioConfig = Omit<K6TestRunConfig, "name">;

export interface ScenarioRecord {
  id: string;
  teamId: string;
  name: string;
  config: ScenarioConfig;
  createdAt: IsoTime;
  updatedAt: IsoTime;
}

/** Where one TestRun of a run stands. */
export interface StepProgress {
  /** The name of the TestRun resource. */
  name: string;
  /** The operator's `status.stage`; `null` before the TestRun was seen with one. */
  stage: string | null;
  status: RunStatus;
  /** Why the step ended in error, or what is being retried now. */
  error: string | null;
}

/** One TestRun of a run, as the API shows it. */
export interface Step extends StepProgress {
  /** Container output logs with headers for multiple containers; `null` before the first was read. */
  containerLogs: string | null;
}

/** A run without its steps, as lists show it. */
export interface RunSummary {
  id: string;
  teamId: string;
  scenarioId: string;
  comment: string | null;
  parallelism: number;
  status: RunStatus;
  verdict: Verdict | null;
  error: string | null;
  createdAt: IsoTime;
  /** When the runners were started (stage `started`). */
  startedAt: IsoTime | null;
  finishedAt: IsoTime | null;
  stopRequestedAt: IsoTime | null;
}

export interface Run extends RunSummary {
  steps: Step[];
}

/** A run without its logs. */
export interface RunProgress extends RunSummary {
  steps: StepProgress[];
}

/** A page of a list; `nextCursor` is `null` on the last page. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}
