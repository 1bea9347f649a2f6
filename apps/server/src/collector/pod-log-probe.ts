import { ChunkBuilder, PodLogResume, readRefusal, type Marks, type PodLogs } from "@tailrace/core";
import { timeOf } from "./pod-log-answer.ts";
import type { ContainerView } from "./reading.ts";

/**
 * Whether `pods/log` continues what is known; reads until that is certain, and keeps nothing.
 *
 * @returns null where the answer does not tell
 */
export async function podLogContinues(
  view: ContainerView,
  known: Marks,
  logs: PodLogs,
  signal: AbortSignal,
): Promise<boolean | null> {
  const scratch = new ChunkBuilder(
    { acquire: (size) => new Uint8Array(size), release: () => undefined },
    { nextSeq: 0, priorTime: null, standardStreams: false },
  );
  const resume = new PodLogResume(scratch, known, 0, () => scratch.discard());
  const ask = resume.ask(false);
  const { pod, container } = view.instance;
  resume.begin(ask, Date.now() / 1000);
  const end = await logs.readPodLogs(
    { pod, container, follow: false, previous: view.previous, sinceTime: timeOf(ask) },
    (bytes, flow) => {
      resume.push(bytes, Date.now() / 1000);
      if (!resume.aligned && resume.verdict === "fits") return true;
      flow.stop();
      return false;
    },
    { signal, silenceMs: 5_000 },
  );
  if (view.terminated && end.kind === "ended") resume.matchRest();
  if (resume.aligned) return known.length > 0;
  if (resume.verdict === "gap" || end.kind === "ended") return false;
  return end.kind === "refused" && readRefusal(end).kind === "gone" ? false : null;
}
