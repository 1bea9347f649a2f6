import { ClusterError, type PodLogAsk, type PodLogEnd, type PodLogs, type TakeBytes } from "@tailrace/core";
import type { ContainerView } from "./reading.ts";

/** An answer that says nothing for so long is opened anew, in case its connection is dead. */
const SILENCE_MS = 60_000;

/** The same where the kubelet may stand still at an old file, which it leaves with the next rotation: it rotates every 3 s at the most. */
const STUCK_MS = [2000, 5000, 10_000, 20_000, 40_000, SILENCE_MS];

/** A followed answer is opened anew after so long: the kubelet cuts it at 4 h, busy or not (kubelet, server.go). */
const AGE_MS = 3_600_000;

/** A followed answer ends a second after its container; one that does not is ended. */
const OVERTIME_MS = 15_000;

const WATCH_MS = 250;

/** How an answer ended; an error where there was none. */
export type AnswerEnd = PodLogEnd | ClusterError;

export interface AnswerWatch {
  view: ContainerView;
  signal: AbortSignal;
  /** True while silence may be the kubelet's. */
  mayBeStuck: () => boolean;
  /** How many answers in a row had nothing new. */
  silences: number;
}

/**
 * Reads one answer of `pods/log`, and gives it up when nothing more is to be expected of it.
 *
 * @param take - gets the answer's bytes, as `PodLogs.readPodLogs`
 */
export async function readAnswer(
  logs: PodLogs,
  ask: PodLogAsk,
  take: TakeBytes,
  { view, signal, mayBeStuck, silences }: AnswerWatch,
): Promise<AnswerEnd> {
  const { pod, container } = view.instance;
  const { follow } = ask;
  const stop = new AbortController();
  const opened = performance.now();
  let heard = opened;
  let reads = true;
  let terminatedSince: number | null = null;
  let reason: "age" | "silence" = "age";
  const watch = setInterval(() => {
    const now = performance.now();
    terminatedSince ??= view.terminated ? now : null;
    const overtime = terminatedSince !== null && now - terminatedSince > OVERTIME_MS;
    const silent = reads && mayBeStuck() && now - heard > STUCK_MS[Math.min(silences, STUCK_MS.length - 1)]!;
    if (silent) reason = "silence";
    if (follow && (silent || overtime || now - opened > AGE_MS)) stop.abort();
  }, WATCH_MS);
  const listen: TakeBytes = (bytes, flow) => {
    heard = performance.now();
    reads = take(bytes, {
      stop: () => flow.stop(),
      resume: () => {
        heard = performance.now();
        reads = true;
        flow.resume();
      },
    });
    return reads;
  };
  try {
    const request = { pod, container, follow, previous: view.previous, sinceTime: timeOf(ask) };
    const options = { signal: AbortSignal.any([signal, stop.signal]), silenceMs: SILENCE_MS };
    const end = await logs.readPodLogs(request, listen, options);
    return end.kind === "cut" && stop.signal.aborted ? { kind: "cut", reason } : end;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return stop.signal.aborted ? { kind: "cut", reason } : error;
  } finally {
    clearInterval(watch);
  }
}

/** As the API takes it, which cuts it to the second. */
export function timeOf({ sinceSeconds }: PodLogAsk): string | null {
  return sinceSeconds === null ? null : `${new Date(sinceSeconds * 1000).toISOString().slice(0, 19)}Z`;
}
