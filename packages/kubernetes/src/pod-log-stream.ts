import type { PodLogEnd, PodLogs, PodLogStreamRequest } from "@tailrace/core";
import type { ApiServer } from "./http/api-server.ts";
import { clusterError, ExchangeError } from "./http/failure.ts";
import { describeGet } from "./http/get.ts";
import { getWanted } from "./http/kept-body.ts";
import { resourcePath, withQuery } from "./paths.ts";

/** Each stream has a connection of its own, and there is no bound: a stream that waits for another would miss a rotation. */
const POOL = { name: "pod logs", limit: Infinity };

/** `pods/log` of one namespace. @param headMs - from the request to the answer's head */
export function openPodLogs(apiServer: ApiServer, namespace: string, headMs: number): PodLogs {
  return {
    async readPodLogs(request, take, { signal, silenceMs }): Promise<PodLogEnd> {
      const path = podLogPath(namespace, request);
      let begun = false;
      try {
        const refusal = await getWanted(
          (onHead) => apiServer.get(POOL, { path, headers: {} }, onHead, { signal, headMs, silenceMs }),
          ({ status }) => {
            begun = status === 200;
            return begun ? take : null;
          },
        );
        if (refusal === null) return { kind: "ended" };
        const { head, body } = refusal;
        return { kind: "refused", status: head.status, contentType: head.headers["content-type"], body };
      } catch (error) {
        if (begun && error instanceof ExchangeError) return { kind: "cut", reason: error.reason };
        throw clusterError(describeGet(path), error);
      }
    },
  };
}

function podLogPath(namespace: string, request: PodLogStreamRequest): string {
  const { pod, container, follow, previous, sinceTime } = request;
  return withQuery(`${resourcePath("pods", namespace, pod)}/log`, {
    container,
    timestamps: true,
    ...(follow && { follow }),
    ...(previous && { previous }),
    ...(sinceTime !== null && { sinceTime }),
  });
}
