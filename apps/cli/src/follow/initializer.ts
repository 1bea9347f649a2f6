import { readInitializerReport } from "@tailrace/core";
import { formatDuration } from "../duration.ts";

/**
 * The initializer's lines as they are shown: its report, some eighty lines of JSON, becomes one line. What is no
 * report, such as why the script could not be loaded, stays as it is.
 *
 * @param ended - true when nothing follows, so that half a report is shown too and not waited for
 */
export function summarizeInitializer(lines: readonly string[], ended: boolean): readonly string[] {
  if (lines[0] !== "{") return lines;
  const report = readInitializerReport(lines);
  if (report === null) return ended ? lines : [];
  const { maxVUs, totalDurationMs } = report;
  return [
    `script accepted: ${maxVUs} VU${maxVUs === 1 ? "" : "s"}, ${formatDuration(totalDurationMs)} at most (--all shows the report)`,
  ];
}
