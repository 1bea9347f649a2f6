import { chooseContainer } from "../logs/choose.ts";
import { readLog } from "../logs/read-log.ts";
import { parseLogRequest } from "../logs/request.ts";
import type { Kubelet } from "../kubelet/kubelet.ts";
import type { Pod } from "../store/kinds.ts";
import { send } from "./answer.ts";
import { Body, type Exchange } from "./exchange.ts";

export interface PodLogDependencies {
  kubelet: Kubelet;
  /** @see {@link ReadOptions.tickMs} */
  tickMs: number;
  /** Aborts when the kubelet's port is closed. */
  kubeletGone: AbortSignal;
}

/**
 * `GET …/pods/{name}/log`, chunked, each piece as soon as it is there.
 *
 * @throws ApiError for what the API server or the kubelet refuses
 */
export async function streamPodLog(
  { kubelet, tickMs, kubeletGone }: PodLogDependencies,
  pod: Pod,
  query: URLSearchParams,
  exchange: Exchange,
): Promise<void> {
  const { response, left } = exchange;
  const request = parseLogRequest(pod.metadata.name, query, new Date());
  const container = chooseContainer(pod, request.container, request.previous, kubelet.view(pod));
  if (container === null) return send(response, { status: 204, bytes: "" });
  const log = kubelet.log(pod, container);
  response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
  response.flushHeaders();
  if (log === undefined || log.removed) {
    response.end(`unable to retrieve container logs for ${containerID(pod, container)}`);
    return;
  }
  const body = new Body(exchange);
  try {
    for await (const piece of readLog(log, { ...request, tickMs }, AbortSignal.any([left, kubeletGone])))
      if (!(await body.write(piece))) return;
    response.end();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // Between the renaming of a full log and the new one; the 200 is already sent.
    const path = kubelet.nodePath(log.path);
    response.end(`failed to try resolving symlinks in path "${path}": lstat ${path}: no such file or directory`);
  }
}

function containerID(pod: Pod, container: string): string {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.find(({ name }) => name === container)?.containerID ?? "containerd://";
}
