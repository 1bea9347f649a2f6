import { ClusterError, type NodeLogFolder } from "@tailrace/core";

/** Names as Kubernetes has them (k8s.io/apimachinery, pkg/util/validation/validation.go). */
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const UID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A container's log file, in use or rotated (kubelet, `buildContainerLogsPath` and `container_log_manager.go`). */
const FILE = /^\d+\.log(?:\.\d{8}-\d{6}(?:\.gz)?)?$/;

/**
 * A container's log folder, below the node's `/var/log` and without slashes around it (kubelet,
 * `BuildPodLogsDirectory`). Whoever may read one of the node's logs may read all of them, so nothing but this is ever
 * asked for.
 *
 * @throws ClusterError `invalid` where a part is no name of Kubernetes
 */
export function logFolderPath(namespace: string, { instance }: NodeLogFolder): string {
  const { pod, podUid, container } = instance;
  requireName("namespace", namespace, LABEL, 63);
  requireName("pod", pod, SUBDOMAIN, 253);
  requireName("UID", podUid, UID, 36);
  requireName("container", container, LABEL, 63);
  return ["pods", `${namespace}_${pod}_${podUid}`, container].map(encodeURIComponent).join("/");
}

/** @throws ClusterError `invalid` */
export function logFilePath(namespace: string, folder: NodeLogFolder, file: string): string {
  requireName("log file", file, FILE, 64);
  return `${logFolderPath(namespace, folder)}/${encodeURIComponent(file)}`;
}

/** @throws ClusterError `invalid` */
export function nodeProxyPath(node: string): string {
  requireNodeName(node);
  return `/api/v1/nodes/${encodeURIComponent(node)}/proxy`;
}

/** @throws ClusterError `invalid` */
export function requireNodeName(node: string): void {
  requireName("node", node, SUBDOMAIN, 253);
}

function requireName(what: string, name: string, pattern: RegExp, longest: number): void {
  if (name.length <= longest && pattern.test(name)) return;
  throw new ClusterError("invalid", `no such ${what} can exist: ${JSON.stringify(name.slice(0, 100))}`);
}
