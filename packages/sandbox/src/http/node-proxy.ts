import { ApiError } from "../api/status.ts";
import { sendGoError, sendTemporaryRedirect, sendText, serveNodeLogs, type Outlet } from "../node-logs/serve.ts";
import { targetOf } from "../node-logs/target.ts";
import type { ApiRequest } from "./api-server.ts";
import type { Exchange } from "./exchange.ts";
import type { KubeletServer } from "./kubelet-server.ts";

export interface NodeProxyDependencies {
  node: string;
  /** Stands for the node's `/var/log`. */
  logRoot: string;
  kubelet: Pick<KubeletServer, "listening" | "port" | "gone">;
}

/**
 * `nodes/{name}/proxy/{path}`: the kubelet's `/logs/` as the API server passes it on.
 *
 * @param route - `rest` is the path that the kubelet is asked for
 * @throws ApiError 404 for another node, 503 while the kubelet's port is closed
 */
export async function proxyToNode(
  { node, logRoot, kubelet }: NodeProxyDependencies,
  route: { node: string; rest: string },
  request: ApiRequest,
  exchange: Exchange,
): Promise<void> {
  const { response } = exchange;
  const name = route.node.split(":")[0]!;
  if (name !== node) throw new ApiError(404, "NotFound", `nodes "${name}" not found`, { name, kind: "nodes" });
  if (!kubelet.listening) {
    const why = `dial tcp 127.0.0.1:${kubelet.port}: connect: connection refused`;
    throw new ApiError(503, "ServiceUnavailable", `error trying to reach service: ${why}`);
  }
  const outlet: Outlet = {
    headers: { "Cache-Control": "no-cache, private" },
    page: (html) => html.replaceAll(/href="[^"]*"/g, (href) => href.replaceAll("&", "&amp;")),
  };
  const query = request.query.size > 0 ? `?${request.query.toString()}` : "";
  const target = targetOf(route.rest + query);
  if (target.kind === "unclean")
    return sendTemporaryRedirect(response, outlet, target.location, `/api/v1/nodes/${route.node}/proxy`);
  if (target.kind !== "logs") return sendGoError(response, outlet, 404, "404 page not found");
  if (request.method !== "GET") return sendText(response, outlet, 405, "405: Method Not Allowed", { Allow: "GET" });
  const broken = (): void => void response.destroy();
  kubelet.gone.addEventListener("abort", broken, { once: true });
  try {
    await serveNodeLogs(logRoot, target.request, request.range, exchange, outlet);
  } finally {
    kubelet.gone.removeEventListener("abort", broken);
  }
}
