import type { OpenGap } from "./stream-writer.ts";

/** What is known when the first line of a stream comes; times in milliseconds since the epoch. */
export interface StreamStart {
  /** When the container was started; null where that is not known. */
  startedAt: number | null;
  /** When reading it began. */
  seenAt: number;
  firstLineAt: number;
  /** What was read first, and from when to when it was written. */
  bytes: number;
  lastLineAt: number;
  /** Whether files had been rotated away before the first one was read; null where that can't be seen. */
  rotated: boolean | null;
}

/** A container that says its first word later than this may have said others before. */
const PROMPT_MS = 2_000;

/** The kubelet looks at the size of logs every 10 s (`containerLogMonitorInterval`), and may have done so a moment ago. */
const MONITOR_MS = 10_000;

/** No kubelet is set up to rotate logs that are smaller. */
const SMALLEST_FILE_BYTES = 256 * 1024;

/** Less than this does not tell how much a container writes. */
const ENOUGH_BYTES = 16 * 1024;

/** How far the node's clock may differ. */
const CLOCK_MS = 500;

/**
 * Whether lines may be missing before a stream's first one: when rotated files can be gone, and the line is a late one. Where
 * rotated files can't be seen it must also have been there before it was looked for, and either long ago, or from a
 * container that writes so much that it may have filled a file by then.
 */
export function startGap(start: StreamStart): OpenGap | null {
  const { startedAt, seenAt, firstLineAt, rotated } = start;
  if (startedAt === null || rotated === false) return null;
  const late = firstLineAt - startedAt;
  const suspect =
    rotated === true
      ? late > PROMPT_MS
      : seenAt - startedAt > MONITOR_MS
        ? late > MONITOR_MS
        : late > PROMPT_MS && firstLineAt < seenAt + CLOCK_MS && bytesBefore(start, late) >= SMALLEST_FILE_BYTES;
  return suspect ? { reason: "late_start", certain: false } : null;
}

/** How much a container has written in so many milliseconds, if it always wrote as much as at first. */
function bytesBefore({ bytes, firstLineAt, lastLineAt }: StreamStart, ms: number): number {
  return bytes < ENOUGH_BYTES ? 0 : (bytes / Math.max(1, lastLineAt - firstLineAt)) * ms;
}
