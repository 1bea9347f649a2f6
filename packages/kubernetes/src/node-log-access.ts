import { AuthorizationV1Api } from "@kubernetes/client-node";
import type { NodeLogAccess, NodeLogs } from "@tailrace/core";
import { apiConfiguration } from "./http-library.ts";
import type { Transport } from "./transport.ts";

/** The kubelet asks the API server about `nodes/log` for `/logs/` (kubelet, pkg/kubelet/server/auth.go). */
const SUBRESOURCE = { kubelet: "log", proxy: "proxy" } as const;

/** Asks whether we may read the nodes' log files that way. */
export async function reviewNodeLogAccess(
  transport: Transport,
  by: NodeLogs["by"],
  signal: AbortSignal,
): Promise<NodeLogAccess> {
  const subresource = SUBRESOURCE[by];
  const api = new AuthorizationV1Api(apiConfiguration(transport, signal));
  const body = { spec: { resourceAttributes: { verb: "get", resource: "nodes", subresource } } };
  const { status } = await api.createSelfSubjectAccessReview({ body });
  if (status?.allowed === true) return { allowed: true, reason: `get on nodes/${subresource} is granted` };
  const rule = `{apiGroups: [""], resources: ["nodes/${subresource}"], verbs: ["get"]}`;
  const why = [status?.reason, status?.evaluationError].filter(Boolean).join("; ").replace(/\s+/g, " ");
  const reason = `get on nodes/${subresource} is not granted${why && ` (${why})`}; a ClusterRole with the rule ${rule} grants it`;
  return { allowed: false, reason };
}
