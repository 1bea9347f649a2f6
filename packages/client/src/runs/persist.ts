import { backoff } from "../backoff.ts";
import { isPassing } from "../error.ts";
import { pause } from "../pause.ts";

/** How long a server is waited for that is away, in milliseconds: five minutes. */
const PATIENCE_MS = 300_000;

/** As tRPC takes them. */
export interface CallOptions {
  signal?: AbortSignal;
}

export interface Persistence {
  /** How long the server may be away before the last failure is thrown, in milliseconds. (Default: 300,000) */
  patienceMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Makes a call again and again while it fails in a way that passes by itself. It must do no harm when it is made twice.
 *
 * @throws what the call fails with otherwise, and what it has failed with when patience is at its end
 */
export async function persist<T>(
  call: (options: CallOptions) => Promise<T>,
  { patienceMs = PATIENCE_MS, signal }: Persistence,
  clientSignal: AbortSignal | undefined,
): Promise<T> {
  let away: number | null = null;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(signal === undefined ? {} : { signal });
    } catch (error) {
      away ??= performance.now();
      if (!isPassing(error) || performance.now() - away >= patienceMs) throw error;
    }
    await pause(backoff(attempt), [signal, clientSignal]);
  }
}
