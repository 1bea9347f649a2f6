import { ClusterError } from "@tailrace/core";
import type { WatchSettings } from "./settings.ts";

/** Where a list+watch stands between two attempts. */
export interface Progress {
  /** Where the next watch continues; `null`: list first. */
  resourceVersion: string | null;
  /** Attempts that failed one after another. */
  failures: number;
}

/** How a list or a watch ended. */
export type Ending =
  /** The server or we ended the watch without an error. */
  | { kind: "ended"; resourceVersion: string; progressed: boolean }
  /** It is time to list everything again. */
  | { kind: "relist" }
  /** `resourceVersion`: the last that was seen, `null` for a list. */
  | { kind: "failed"; error: ClusterError; resourceVersion: string | null; progressed: boolean };

export interface NextAttempt extends Progress {
  waitMs: number;
  /** Why there is no connection now; `undefined`: nothing that anybody needs to know. */
  problem: string | undefined;
}

/** After so many failures in a row the resource version itself may be what fails. */
const RELIST_AFTER = 3;

/**
 * What to do after a list or a watch ended. A clean end and a first `gone` go on at once; everything else waits, longer
 * each time, until a watch progressed again. A watch that ends at once without an event is a failure
 * (k8s.io/client-go, tools/cache/reflector.go: "very short watch").
 *
 * @param random - from 0 to 1
 */
export function nextAttempt(before: Progress, ending: Ending, settings: WatchSettings, random: number): NextAttempt {
  if (ending.kind === "relist")
    return { resourceVersion: null, failures: before.failures, waitMs: 0, problem: undefined };
  const { resourceVersion, progressed } = ending;
  if (ending.kind === "ended" && progressed) return { resourceVersion, failures: 0, waitMs: 0, problem: undefined };

  const failures = (progressed ? 0 : before.failures) + 1;
  const error =
    ending.kind === "failed" ? ending.error : new ClusterError("network", "the watch ends as soon as it begins");
  const first = failures === 1 && (error.code === "gone" || error.code === "unauthorized");
  return {
    resourceVersion: mayResume(error) && failures < RELIST_AFTER ? resourceVersion : null,
    failures,
    // Credentials have been read anew after a 401.
    waitMs: first ? 0 : waitMs(failures, error.retryAfterMs, settings, random),
    problem: first ? undefined : error.message,
  };
}

/** False when the error may come from the resource version (410, "too large", invalid), or an event may have been lost. */
function mayResume({ code }: ClusterError): boolean {
  return ["network", "timeout", "unauthorized", "forbidden", "too_many_requests"].includes(code);
}

function waitMs(failures: number, retryAfterMs: number | undefined, settings: WatchSettings, random: number): number {
  const full = Math.min(settings.maxBackoffMs, settings.backoffMs * 2 ** Math.min(failures - 1, 20));
  const asked = Math.min(retryAfterMs ?? 0, settings.maxBackoffMs);
  return Math.max(asked, full / 2 + (full / 2) * random);
}
