import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Kubelet } from "../kubelet/kubelet.ts";
import { chooseContainer } from "../logs/choose.ts";
import { readLog } from "../logs/read-log.ts";
import { parseLogRequest } from "../logs/request.ts";
import type { Pod } from "../store/kinds.ts";
import { send } from "./answer.ts";

/**
 * `GET …/pods/{name}/log`, chunked, each piece as soon as it is there.
 *
 * @throws ApiError for what the API server or the kubelet refuses
 */
export async function streamPodLog(
  kubelet: Kubelet,
  pod: Pod,
  query: URLSearchParams,
  followEndMs: number,
  response: ServerResponse,
): Promise<void> {
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
  const abort = new AbortController();
  response.once("close", () => abort.abort());
  for await (const piece of readLog(log, { ...request, followEndMs }, abort.signal)) {
    if (!response.write(piece)) await once(response, "drain", { signal: abort.signal }).catch(ignoreAbort);
  }
  response.end();
}

function containerID(pod: Pod, container: string): string {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.find(({ name }) => name === container)?.containerID ?? "containerd://";
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}
