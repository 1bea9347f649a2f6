import type { PodLogAnswer, PodLogRequest } from "@tailrace/core";
import { resourcePath, withQuery } from "./paths.ts";
import { TailBuffer } from "./tail-buffer.ts";
import type { Transport } from "./transport.ts";

/** `GET …/pods/{pod}/log` as it was answered, whatever the status; rejects when there was no whole answer. */
export async function readPodLog(
  transport: Transport,
  namespace: string,
  request: PodLogRequest,
  signal: AbortSignal,
): Promise<PodLogAnswer> {
  const { container, tailLines } = request;
  const path = withQuery(`${resourcePath("pods", namespace, request.pod)}/log`, {
    container,
    timestamps: true,
    tailLines,
  });
  const tail = new TailBuffer(request.maxBytes);
  const { status, headers } = await transport.stream({ method: "GET", path }, signal, (chunk) => tail.push(chunk));
  return { status, contentType: headers["content-type"], body: tail.bytes(), cut: tail.cut };
}
