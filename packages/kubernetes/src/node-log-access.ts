import type { NodeLogAccess, NodeLogs } from "@tailrace/core";
import type { Transport } from "./transport.ts";

/** The kubelet asks the API server about `nodes/log` for `/logs/` (kubelet, pkg/kubelet/server/auth.go). */
const SUBRESOURCE = { kubelet: "log", proxy: "proxy" } as const;

const REVIEW = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview" } as const;
const PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

interface Review {
  status?: { allowed?: boolean; reason?: string; evaluationError?: string };
}

/** Asks whether we may read the nodes' log files that way. */
export async function reviewNodeLogAccess(
  transport: Transport,
  by: NodeLogs["by"],
  signal: AbortSignal,
): Promise<NodeLogAccess> {
  const subresource = SUBRESOURCE[by];
  const body = JSON.stringify({
    ...REVIEW,
    spec: { resourceAttributes: { verb: "get", resource: "nodes", subresource } },
  });
  const { status } = ((await transport.json({ method: "POST", path: PATH, body }, signal)) ?? {}) as Review;
  if (status?.allowed === true) return { allowed: true, reason: `get on nodes/${subresource} is granted` };
  const rule = `{apiGroups: [""], resources: ["nodes/${subresource}"], verbs: ["get"]}`;
  const why = [status?.reason, status?.evaluationError].filter(Boolean).join("; ").replace(/\s+/g, " ");
  const reason = `get on nodes/${subresource} is not granted${why && ` (${why})`}; a ClusterRole with the rule ${rule} grants it`;
  return { allowed: false, reason };
}
