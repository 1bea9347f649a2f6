import type { LogReader, LogStore, Role, RunStore, ScenarioStore, TeamStore } from "@tailrace/core";

/** Who asks: the installation's administrator, who may do everything, or a token of one team. */
export type Principal = { kind: "installation" } | { kind: "team"; teamId: string; role: Role };

/** What the verbs use of the store. */
export type ApiStore = TeamStore & ScenarioStore & RunStore & LogReader & Pick<LogStore, "onLogsWritten">;

export interface ApiLimits {
  /** How many runs of one team may be active at once. */
  maxActiveRuns: number;
  /** The k6 images that scenarios may name. */
  allowedImages: readonly string[];
  /** The namespace in which the TestRuns of new runs are made. */
  namespace: string;
}

/** What every verb is given, the same over each transport. */
export interface ApiContext {
  store: ApiStore;
  principal: Principal;
  limits: ApiLimits;
  /** Random bytes, for ids and secrets. */
  random: (length: number) => Uint8Array;
  /** Aborted when the server ends: nothing is waited for any more. */
  closing: AbortSignal;
  /** Names the request in error answers and in the log. */
  requestId: string;
}

/** The signal of a call that nobody gives up. */
export const NEVER: AbortSignal = new AbortController().signal;

/** The one argument of each verb. */
export interface Call<Input> {
  ctx: ApiContext;
  input: Input;
  /** Aborted when nobody waits for the answer any more. (Default: {@link NEVER}) */
  signal?: AbortSignal | undefined;
}
