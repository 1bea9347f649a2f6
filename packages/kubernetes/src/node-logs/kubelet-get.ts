import { ClusterError, type NodeAddress, type NodeLogsOptions } from "@tailrace/core";
import { isIP } from "node:net";
import type { Credentials, Endpoint } from "../credentials.ts";
import type { HttpClient } from "../http/client.ts";
import type { Target } from "../http/connect.ts";
import { certificateOf, identityHeaders } from "../http/endpoint.ts";
import { describeGet } from "../http/get.ts";
import { tellingRefusal } from "../http/telling-refusal.ts";
import { settled } from "../transport.ts";
import { requireNodeName } from "./log-path.ts";
import { NODE_CONNECTIONS, type NodeGet } from "./node-get.ts";

type KubeletOptions = Omit<NodeLogsOptions, "by">;

const DEFAULT_PORT = 10250;

/** From the kubelet's own port, with the kubeconfig's credentials. */
export function kubeletGet(client: HttpClient, credentials: Credentials, options: KubeletOptions): NodeGet {
  return async (node, request, onHead, limits) => {
    const path = `/logs/${request.path}`;
    const endpoint = await settled(credentials.endpoint(), limits.signal, describeGet(path));
    const target = kubeletTarget(node, endpoint, options);
    const headers = { ...identityHeaders(endpoint), ...request.headers };
    const choice = { name: `kubelet ${node.name} ${target.authority}`, target, limit: NODE_CONNECTIONS };
    await client.get(choice, { path, headers }, tellingRefusal(credentials, endpoint, onHead), limits);
  };
}

/**
 * Its certificate must bear the node's address or name. Neither what the kubeconfig says of the API server's certificate
 * nor its `insecure-skip-tls-verify` counts here.
 *
 * @throws ClusterError `invalid` where the node's name or address is none
 */
export function kubeletTarget({ name, address }: NodeAddress, { options }: Endpoint, kubelet: KubeletOptions): Target {
  requireNodeName(name);
  const family = isIP(address);
  if (family === 0) throw new ClusterError("invalid", `no IP address: ${JSON.stringify(address.slice(0, 100))}`);
  const { port = DEFAULT_PORT, insecure = false } = kubelet;
  const ca = kubelet.ca ?? options.ca;
  return {
    host: address,
    port,
    authority: family === 6 ? `[${address}]:${port}` : `${address}:${port}`,
    tls: {
      trust: { ...(ca !== undefined && { ca }), rejectUnauthorized: !insecure },
      identity: certificateOf(options),
      names: [address, name],
      verifyFirst: !insecure,
    },
  };
}
