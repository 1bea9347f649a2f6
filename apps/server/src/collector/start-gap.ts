import type { OpenGap } from "./stream-writer.ts";

/** What is known when the first line of a stream comes; times in milliseconds since the epoch. */
export interface StreamStart {
  /** When the container was started; null where that is not known. */
  startedAt: number | null;
  /** When reading it began. */
  seenAt: number;
  firstLineAt: number;
  /** Whether files had been rotated away before the first one was read; null where that can't be seen. */
  rotated: boolean | null;
}

/** A container that says its first word later than this may have said others before. */
const PROMPT_MS = 2_000;

/** The kubelet looks at the size of logs every 10 s (`containerLogMonitorInterval`): before, nothing is rotated. */
const MONITOR_MS = 10_000;

/** Whether lines may be missing before a stream's first one: when rotated files can be gone, and the line is a late one. */
export function startGap({ startedAt, seenAt, firstLineAt, rotated }: StreamStart): OpenGap | null {
  if (startedAt === null || rotated === false) return null;
  const late = firstLineAt - startedAt;
  const suspect = rotated === null ? seenAt - startedAt > MONITOR_MS && late > MONITOR_MS : late > PROMPT_MS;
  return suspect ? { reason: "late_start", certain: false } : null;
}
