import { ApiError, badRequest } from "../api/status.ts";
import type { Pod } from "../store/kinds.ts";

/** What the kubelet knows of a pod at the moment of a request. */
export type KubeletView = "nothing" | "no-statuses" | "statuses";

interface Named {
  name: string;
}

/**
 * The container whose log is asked for, or why there is no log to give, in the words of the API server and the kubelet
 * (k8s.io/kubernetes, pkg/registry/core/pod/strategy.go LogLocation and pkg/kubelet validateContainerLogStatus).
 *
 * @returns the container's name, or null for a pod that is not scheduled (204)
 * @throws ApiError 400, and 404 while the kubelet does not know the pod
 */
export function chooseContainer(
  pod: Pod,
  asked: string | undefined,
  previous: boolean,
  view: KubeletView,
): string | null {
  const name = pod.metadata.name;
  const container = nameContainer(pod, asked);
  if (!pod.spec?.nodeName) return null;
  if (view === "nothing") {
    const message = `the server could not find the requested resource ( pods/log ${name})`;
    throw new ApiError(404, "NotFound", message, { name, kind: "pods/log" });
  }
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const status = statuses.find((entry) => entry.name === container);
  if (view === "no-statuses" || status === undefined)
    throw badRequest(`container "${container}" in pod "${name}" is not available`);
  if (previous) {
    if (status.lastState?.terminated === undefined)
      throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  } else if (status.state?.waiting !== undefined) {
    throw badRequest(
      `container "${container}" in pod "${name}" is waiting to start: ${waitingWords(status.state.waiting.reason)}`,
    );
  }
  return container;
}

function nameContainer(pod: Pod, asked: string | undefined): string {
  const containers: Named[] = pod.spec?.containers ?? [];
  const initContainers: Named[] = pod.spec?.initContainers ?? [];
  if (asked !== undefined) {
    if (![...containers, ...initContainers].some(({ name }) => name === asked))
      throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
    return asked;
  }
  if (containers.length === 1) return containers[0]!.name;
  const init = initContainers.length > 0 ? ` or one of the init containers: [${names(initContainers)}]` : "";
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names(containers)}]${init}`,
  );
}

function names(containers: Named[]): string {
  return containers.map(({ name }) => name).join(" ");
}

function waitingWords(reason: string | undefined): string {
  if (reason === "ErrImagePull") return "image can't be pulled";
  if (reason === "ImagePullBackOff") return "trying and failing to pull image";
  return reason ?? "";
}
