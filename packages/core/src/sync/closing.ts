import type { PodRole } from "../logs/containers.ts";
import type { Ending } from "./reconcile.ts";
import { isBeforeStarted } from "./stage.ts";

/** How the reading of a step's logs stands once it is decided that the step ends. Times in milliseconds since the epoch. */
export interface ClosingFacts {
  ending: Ending;
  now: number;
  /** When the end was decided. */
  since: number;
  /** When anything of a log was read or stored last. */
  progressAt: number;
  /** Every container that has begun is sealed. */
  settled: boolean;
  /** Containers that run, and that have not begun. */
  running: number;
  waiting: number;
  /** Pods that must have been there by now and of which nothing is known. */
  missing: number;
  /** Since when the cluster can't be seen; null while it can. */
  blindSince: number | null;
}

export type Closing =
  | { kind: "wait" }
  /** Everything is read: the end can be written. */
  | { kind: "done" }
  /** Seal what there is, of the containers that still run or of all. */
  | { kind: "cut"; which: "running" | "all"; reason: string };

/** The kubelet tells of a container's end up to 7 s after the operator tells of the run's. */
const NEWS_MS = 20_000;

/** How long containers are waited for that were told to stop, or should have ended. */
const STOP_MS = 60_000;

/** A log of which nothing came for so long is not waited for, nor a cluster that can't be seen. */
const STALL_MS = 60_000;

/** What holds a deleted TestRun is off it within 60 s, and sealing takes some of them. */
const RELEASE_MS = 55_000;

/** Nothing holds a run's end up longer than this. */
const LIMIT_MS = 1_800_000;

/** Whether a step may end now: its logs are to be read to their end first, but not for ever. */
export function closing(facts: ClosingFacts): Closing {
  const { ending, now, since, settled, running, waiting, missing, blindSince } = facts;
  const elapsed = now - since;
  const newsDue = waiting + missing > 0 && !ending.stopping && elapsed < NEWS_MS;
  const unseen = missing > 0 && blindSince !== null && now - blindSince < STALL_MS;
  if (settled && running === 0 && !newsDue && !unseen) return { kind: "done" };
  if (settled && elapsed >= STOP_MS) return { kind: "done" };
  const seconds = Math.round(STOP_MS / 1000);
  if (ending.stopping && elapsed >= RELEASE_MS)
    return {
      kind: "cut",
      which: "all",
      reason: `the log was not read to its end ${RELEASE_MS / 1000} s after the TestRun had been deleted`,
    };
  if (elapsed >= LIMIT_MS) return { kind: "cut", which: "all", reason: "the log was not read to its end in time" };
  if (elapsed >= STALL_MS && now - facts.progressAt >= STALL_MS)
    return { kind: "cut", which: "all", reason: `nothing more could be read of the log for ${STALL_MS / 1000} s` };
  if (running > 0 && elapsed >= STOP_MS)
    return { kind: "cut", which: "running", reason: `the container still ran ${seconds} s after the run had ended` };
  return { kind: "wait" };
}

/**
 * How many pods of a run must have been there by now of which nothing is known. Its starter and all its runners are there
 * before its stage says so, but the watch on pods may be later than the one on TestRuns.
 *
 * @param known - of each pod its name, however often
 */
export function missingPods(
  stage: string | null,
  parallelism: number,
  known: Iterable<{ pod: string; role: PodRole | "init" }>,
): number {
  if (isBeforeStarted(stage) || stage === "error") return 0;
  const seen = new Set<string>();
  for (const { pod, role } of known) if (role === "runner" || role === "starter") seen.add(pod);
  return Math.max(0, parallelism + 1 - seen.size);
}
