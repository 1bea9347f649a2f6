import { eachEntry, NumberedCheck, type NumberedReport } from "../../support/numbered.ts";

export interface NumberedLog extends NumberedReport {
  /** When the container runtime took the last line of each runner, in milliseconds since the epoch. */
  lastAt: number[];
}

/**
 * Downloads a run's lines, checks them, and sees until when its runners wrote. What a runner calls itself is its host
 * name, which is its job's (k6-operator, pkg/resources/jobs/runner.go).
 */
export async function readNumberedLog(url: string, runId: string, lines: number): Promise<NumberedLog> {
  const check = new NumberedCheck(lines);
  const times = new Map<string, string>();
  await eachEntry(url, runId, (json) => {
    const entry = JSON.parse(json) as { role: string; pod: string; time?: string };
    const pod = entry.pod.replace(/-[a-z0-9]{5}$/, "");
    check.line(JSON.stringify({ ...entry, pod }));
    if (entry.role === "runner" && entry.time !== undefined) times.set(pod, entry.time);
  });
  return { ...check.result(), lastAt: Array.from(times.values(), (time) => Date.parse(time)) };
}

/** What a person wants to know of a report, in one line. */
export function summaryOf({ lines, lost, unflagged, doubled, reordered, rests, gaps, truncated }: NumberedLog): string {
  const counts = { lines, lost, unflagged, doubled, reordered, rests, gaps: gaps.length, truncated: truncated.length };
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
