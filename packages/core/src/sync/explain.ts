import { jobNameOf, oneLine, roleOfJob, roleOfPodName } from "../logs/containers.ts";
import type { ContainerSection } from "../logs/format.ts";
import { readInitializerReport } from "../logs/initializer-report.ts";
import type { Observation } from "../ports/cluster.ts";
import type { StepRecord } from "../ports/store.ts";

/** What the initializer's own log says, of the sections read last. */
export function initializerLines(testRunName: string, sections: readonly ContainerSection[]): string[] {
  const own = sections.filter(({ pod }) => roleOfPodName(testRunName, pod).role === "initializer");
  return own.at(-1)?.lines ?? [];
}

/**
 * Why the operator set stage `error`. It says so nowhere in the cluster: it is set only before runners exist, by
 * arguments it can't parse (then there is no initializer), a failed initializer, one whose log is no report, or more
 * runners than VUs.
 */
export function explainErrorStage(
  step: StepRecord,
  observation: Observation,
  sections: readonly ContainerSection[],
): string {
  const name = step.config.name;
  const pod = observation.pods.find((candidate) => roleOfJob(name, jobNameOf(candidate)).role === "initializer");
  const lines = initializerLines(name, sections);
  if (pod === undefined && lines.length === 0) {
    const started = observation.jobs.some(({ metadata }) => roleOfJob(name, metadata.name).role === "initializer");
    if (started) return "initialization failed: the initializer's pod is gone, and its log was not read";
    return "k6-operator refused the TestRun before it started anything: its arguments could not be parsed";
  }
  const ended = pod?.status?.containerStatuses?.[0]?.state?.terminated;
  const report = readInitializerReport(lines);
  const parallelism = step.config.parallelism ?? 1;
  if (report !== null && report.maxVUs < parallelism) {
    return `parallelism ${parallelism} is larger than the script's maximum of ${report.maxVUs} VUs: every runner needs at least one`;
  }
  const last = oneLine(lines.findLast((line) => line.trim() !== "") ?? "").slice(0, 1000);
  const said = last === "" ? "its log is empty" : `its last line: ${last}`;
  if (ended !== undefined && ended.exitCode !== 0) {
    const why =
      ended.reason !== undefined && ended.reason !== "Error"
        ? `${ended.reason}, exit code ${ended.exitCode}`
        : `exit code ${ended.exitCode}`;
    return `initialization failed: the initializer ended with ${why}; ${said}`;
  }
  if (report === null)
    return `initialization failed: the initializer's output is not the report that k6-operator expects; ${said}`;
  return "initialization failed for a reason that k6-operator's log alone has";
}
