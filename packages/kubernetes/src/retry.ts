import { setTimeout as sleep } from "node:timers/promises";

/** How often something is tried, and how long to wait in between. */
export interface RetrySettings {
  /** (Default: 3) */
  attempts: number;
  /** The wait after the first failure, doubled after each further one, ± 50 %. (Default: 200) */
  backoffMs: number;
}

export const DEFAULT_RETRY: RetrySettings = { attempts: 3, backoffMs: 200 };

/** The longest that a `Retry-After` is obeyed. */
const MAX_WAIT_MS = 5_000;

/** What one attempt gave: a result that stands, or one that may be better next time. */
export type Attempt<T> = { final: true; value: T } | { final: false; value: T; retryAfterMs?: number | undefined };

/** Tries until a result is final or the attempts are used up. @returns the last result */
export async function retry<T>(
  settings: RetrySettings,
  signal: AbortSignal,
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    const result = await attempt();
    if (result.final || tried >= settings.attempts || signal.aborted) return result.value;
    const backoff = settings.backoffMs * 2 ** (tried - 1) * (0.5 + Math.random());
    await sleep(Math.min(MAX_WAIT_MS, Math.max(backoff, result.retryAfterMs ?? 0)), undefined, { signal });
  }
}
