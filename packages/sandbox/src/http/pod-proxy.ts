import { RESOURCES } from "../api/resources.ts";
import { ApiError, notFound } from "../api/status.ts";
import type { Kubelet } from "../kubelet/kubelet.ts";
import type { RestRequest } from "../kubelet/process.ts";
import type { ObjectStore } from "../store/store.ts";
import type { Answer } from "./answer.ts";

/** `pods/{name}:{port}/proxy/{path}`: one request to the pod's REST API. */
export async function proxyToPod(
  store: ObjectStore,
  kubelet: Kubelet,
  namespace: string,
  target: string,
  request: RestRequest,
): Promise<Answer> {
  const [name, port = "80"] = target.split(":") as [string, string?];
  const pod = store.get("pods", namespace, name);
  if (pod === undefined) throw notFound(RESOURCES.pods, name);
  try {
    if (!pod.spec.nodeName) throw new Error("no address");
    if (port !== "6565") throw new Error(`dial tcp ${pod.status?.podIP ?? ""}:${port}: connect: connection refused`);
    const { status, contentType, body } = await kubelet.request(pod, request);
    return { status, bytes: body, contentType };
  } catch (error) {
    throw new ApiError(503, "ServiceUnavailable", `error trying to reach service: ${(error as Error).message}`);
  }
}
