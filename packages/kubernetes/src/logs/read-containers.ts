import {
  bytesToRead,
  type Cluster,
  ClusterError,
  type ContainerRead,
  type ContainerRef,
  type ContainerSection,
  type PodLogAnswer,
  type ReadContainer,
  readPodLogAnswer,
  sectionOf,
  tailLinesToRequest,
} from "@tailrace/core";
import { forEachOf } from "../each.ts";
import { type Logger, silentLogger } from "../log.ts";
import { type Attempt, DEFAULT_RETRY, retry, type RetrySettings } from "../retry.ts";

export interface ReadContainersOptions {
  cluster: Pick<Cluster, "readPodLog">;
  containers: readonly ContainerRef[];
  /** The most lines of one container. */
  tailLines: number;
  signal: AbortSignal;
  /** Gets a warning for each container that could not be read. (Default: none) */
  log?: Logger;
  /** How many are read at once. (Default: 12) */
  concurrency?: number;
  /** For what may pass: network, timeout, 401, 429, 5xx, a pod that the kubelet does not know yet. (Default: 3 tries) */
  retry?: Partial<RetrySettings>;
}

/**
 * Reads the end of each container's log, in the order given. A container that can't be read is a result like the
 * others; only an aborted signal rejects.
 */
export async function readContainers(options: ReadContainersOptions): Promise<ReadContainer[]> {
  const { containers, concurrency = 12, log = silentLogger, signal } = options;
  return await forEachOf(containers, concurrency, async (ref) => {
    signal.throwIfAborted();
    const read = await readContainer(options, ref);
    signal.throwIfAborted();
    const reason = failureOf(read);
    if (reason !== null)
      log.warn({ pod: ref.pod, container: ref.container, reason }, "a container's log could not be read");
    return { ref, read };
  });
}

/** {@link readContainers} as sections of a snapshot. */
export async function readContainerSections(options: ReadContainersOptions): Promise<ContainerSection[]> {
  return (await readContainers(options)).map(sectionOf);
}

function readContainer(options: ReadContainersOptions, ref: ContainerRef): Promise<ContainerRead> {
  const { cluster, tailLines, signal } = options;
  const request = {
    pod: ref.pod,
    container: ref.container,
    tailLines: tailLinesToRequest(tailLines),
    maxBytes: bytesToRead(tailLines),
  };
  return retry({ ...DEFAULT_RETRY, ...options.retry }, signal, async (): Promise<Attempt<ContainerRead>> => {
    let answer: PodLogAnswer;
    try {
      answer = await cluster.readPodLog(request, signal);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      return { final: false, value: { kind: "retry", reason: error.message }, retryAfterMs: error.retryAfterMs };
    }
    const value = readPodLogAnswer(answer, tailLines);
    return value.kind === "retry" ? { final: false, value } : { final: true, value };
  });
}

function failureOf(read: ContainerRead): string | null {
  if (read.kind === "waiting") return null;
  if (read.kind === "log") return read.diagnostic;
  return read.reason;
}
