import type { GapMark, Hole, NumberedReport } from "../../e2e/support/numbered.ts";
import type { ClusterReport } from "./messages.ts";
import type { WrittenFile } from "./writer.ts";

type WrittenStream = ClusterReport["streams"][number];

/** Holds what is stored against what was written. @returns what is wrong, a line for each; none where all is right */
export function judge(report: NumberedReport, written: readonly WrittenStream[], lines: number): string[] {
  const byPod = new Map(written.map((stream) => [stream.pod, stream]));
  const wrong = written
    .filter((stream) => stream.lines !== lines)
    .map(({ pod, lines: count }) => `${pod} has written ${count} lines`);
  if (report.streams !== written.length) wrong.push(`${report.streams} streams are stored of ${written.length}`);
  if (report.doubled > 0) wrong.push(`${report.doubled} lines are doubled`);
  if (report.reordered > 0) wrong.push(`${report.reordered} lines are out of order`);
  wrong.push(...report.damaged.map((what) => `damaged: ${what}`));
  wrong.push(...report.truncated.map((what) => `truncated: ${what}`));
  for (const hole of report.holes) {
    const name = `lines ${hole.from} to ${hole.until - 1} of ${hole.pod}`;
    if (hole.gap === null) wrong.push(`${name} are missing, and nothing tells of it`);
    if (!wasUnreadable(byPod.get(hole.pod)?.files ?? [], hole))
      wrong.push(`${name} are missing, and could have been read`);
  }
  for (const gap of report.untrueGaps)
    wrong.push(`before line ${gap.before} of ${gap.pod} lines are said to be missing that are there`);
  for (const gap of report.gaps)
    if (!isAtRotation(byPod.get(gap.pod)?.files ?? [], gap))
      wrong.push(`before line ${gap.before} of ${gap.pod} is a gap (${gap.reason}) where nothing was rotated`);
  return wrong;
}

/** Whether each of the lines was in a file that went before the line was certainly stored. */
function wasUnreadable(files: readonly WrittenFile[], { from, until }: Hole): boolean {
  let at = from;
  for (const { from: first, until: end, gone } of files) {
    if (gone === null || at >= end || at < Math.max(first, gone)) continue;
    at = end;
    if (at >= until) return true;
  }
  return false;
}

/** Whether a file begins between the lines on both sides of the gap. */
function isAtRotation(files: readonly WrittenFile[], { before, lost }: GapMark): boolean {
  return files.some(({ from }, index) => index > 0 && from >= before - lost && from <= before);
}
