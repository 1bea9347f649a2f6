import {
  type Cluster,
  ClusterError,
  type FieldIssue,
  formatContainerLogs,
  ownedPods,
  type PodObject,
  TailraceError,
  testRunContainers,
} from "@tailrace/core";
import { openCluster } from "../cluster.ts";
import { contextNamespace, loadKubeConfig } from "../kubeconfig.ts";
import { type Logger, processWarnings } from "../log.ts";
import { type Attempt, DEFAULT_RETRY, retry } from "../retry.ts";
import { readContainerSections } from "./read-containers.ts";

export interface TestRunLogsOptions {
  /** Used as it is, and left open. (Default: opened by the following three for this call.) */
  cluster?: Cluster;
  /** One path, or several as in `$KUBECONFIG`. (Default: `$KUBECONFIG`, else `~/.kube/config`, else the pod's service account.) */
  kubeconfig?: string;
  /** (Default: the current context.) */
  context?: string;
  /** (Default: the context's.) */
  namespace?: string;
  signal?: AbortSignal;
  /** Gets a warning for each container that could not be read. (Default: `process.emitWarning`) */
  log?: Logger;
}

/** The most lines of one container that can be asked for. */
export const MAX_TAIL_LINES = 100_000;

/**
 * The end of every container's output of a TestRun as one text: `=== Container: {pod} ===` before each container's
 * lines, initializer first, then starter and runners by index (core's `formatContainerLogs`; `parseContainerLogs` is
 * the inverse). A container that can't be read has `(ERROR)` in its header and the reason below it, one that has not
 * started `(WAITING)`. Empty as long as the TestRun has no pods.
 *
 * @param testRunName - `metadata.name` of the TestRun
 * @param tailLines - the most lines of one container, 1 to 100,000
 * @throws TailraceError `BAD_REQUEST` for an argument out of its limits, `NOT_FOUND` when there is neither TestRun nor pod of the name
 * @throws ClusterError when the TestRun's pods could not be found out
 */
export async function getK6TestRunLogs(
  testRunName: string,
  tailLines: number = 100,
  options: TestRunLogsOptions = {},
): Promise<string> {
  const issues = argumentIssues(testRunName, tailLines);
  if (issues.length > 0) {
    const message = issues.map((issue) => `${issue.path} ${issue.message}`).join("; ");
    throw new TailraceError("BAD_REQUEST", message, { issues });
  }
  const signal = options.signal ?? new AbortController().signal;
  const log = options.log ?? processWarnings;
  const cluster = options.cluster ?? openNamed(options, log);
  try {
    const pods = await findPods(cluster, testRunName, signal);
    const containers = testRunContainers(testRunName, pods);
    return formatContainerLogs(await readContainerSections({ cluster, containers, tailLines, signal, log }));
  } finally {
    if (cluster !== options.cluster) await cluster.close();
  }
}

/** A TestRun's name is also a label's value (`k6_cr`), which is what limits its length. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

function argumentIssues(testRunName: unknown, tailLines: unknown): FieldIssue[] {
  const issues: FieldIssue[] = [];
  if (typeof testRunName !== "string" || !NAME.test(testRunName)) {
    const message =
      "must be the name of a TestRun: 1 to 63 characters of a-z, 0-9, - and ., with a letter or digit at both ends";
    issues.push({ path: "testRunName", message });
  }
  if (typeof tailLines !== "number" || !Number.isInteger(tailLines) || tailLines < 1 || tailLines > MAX_TAIL_LINES) {
    issues.push({ path: "tailLines", message: `must be an integer from 1 to ${MAX_TAIL_LINES}` });
  }
  return issues;
}

function openNamed({ kubeconfig, context, namespace }: TestRunLogsOptions, log: Logger): Cluster {
  const kubeConfig = loadKubeConfig({ kubeconfig, context });
  return openCluster({ kubeConfig, namespace: namespace ?? contextNamespace(kubeConfig), log });
}

async function findPods(cluster: Cluster, name: string, signal: AbortSignal): Promise<PodObject[]> {
  // Pods first: the Job of each pod is then in the later list.
  const pods = await persist(signal, () => cluster.listPods(name, signal));
  const [jobs, testRun] = await Promise.all([
    persist(signal, () => cluster.listJobs(name, signal)),
    persist(signal, () => cluster.getTestRun(name, signal)),
  ]);
  if (testRun === null && pods.length === 0) {
    throw new TailraceError("NOT_FOUND", `there is no TestRun "${name}" in namespace "${cluster.namespace}"`);
  }
  return ownedPods(testRun?.metadata.uid ?? null, jobs, pods);
}

/** Tries again after what may pass. */
async function persist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  type Outcome = { value: T } | { error: ClusterError };
  const outcome = await retry(DEFAULT_RETRY, signal, async (): Promise<Attempt<Outcome>> => {
    try {
      return { final: true, value: { value: await work() } };
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      return { final: !mayPass(error), value: { error }, retryAfterMs: error.retryAfterMs };
    }
  });
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

function mayPass({ code }: ClusterError): boolean {
  return ["network", "timeout", "too_many_requests", "server_error", "unauthorized"].includes(code);
}
