import type { ApiServer } from "../http/api-server.ts";
import { nodeProxyPath } from "./log-path.ts";
import { NODE_CONNECTIONS, type NodeGet } from "./node-get.ts";

/** Through the API server, which reaches the kubelet by the node's name. */
export function proxyGet(apiServer: ApiServer): NodeGet {
  return (node, { path, headers }, onHead, limits) => {
    const request = { path: `${nodeProxyPath(node.name)}/logs/${path}`, headers };
    return apiServer.get({ name: `node ${node.name}`, limit: NODE_CONNECTIONS }, request, onHead, limits);
  };
}
