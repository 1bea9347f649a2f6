import type { Access } from "../api/access.ts";
import { ApiError, methodNotAllowed, namespaceNotFound, unknownPath } from "../api/status.ts";
import type { Kubelet } from "../kubelet/kubelet.ts";
import { flag } from "../logs/request.ts";
import type { Pod } from "../store/kinds.ts";
import type { ObjectStore } from "../store/store.ts";
import { send, type Answer } from "./answer.ts";
import type { ApiRequest } from "./api-server.ts";
import { attributesOf } from "./attributes.ts";
import { discover } from "./discovery.ts";
import type { Exchange } from "./exchange.ts";
import { proxyToNode, type NodeProxyDependencies } from "./node-proxy.ts";
import { createObject, existing, getObject, listObjects, patchObject, removeObject, reviewAccess } from "./objects.ts";
import { streamPodLog } from "./pod-log.ts";
import { proxyToPod } from "./pod-proxy.ts";
import { parsePath, type Route } from "./route.ts";
import { streamWatch } from "./watch.ts";

export interface HandlerDependencies {
  store: ObjectStore;
  kubelet: Kubelet;
  node: NodeProxyDependencies;
  access: Access;
  namespace: string;
  bookmarkMs: number;
  followEndMs: number;
  address(): string;
}

type ObjectRoute = Extract<Route, { to: "object" }>;

/** Answers the requests of the API. */
export function createHandler(deps: HandlerDependencies): (request: ApiRequest, exchange: Exchange) => Promise<void> {
  const { store, namespace, access } = deps;
  return async (request, exchange) => {
    const { response } = exchange;
    const route = parsePath(request.path);
    if (route === null) throw unknownPath();
    const attributes = attributesOf(route, request.method, request.query);
    if (attributes !== null) access.check(attributes);
    if (route.to === "discovery") return send(response, discover(route.path, deps.address()));
    if (route.to === "access-review") return send(response, reviewAccess(access, request.method, request.body));
    if (route.to === "node-proxy") return await proxyToNode(deps.node, route, request, exchange);
    if (request.method !== "GET" && route.namespace !== namespace) throw namespaceNotFound(route.namespace ?? "");
    if (route.to === "object") return await object(deps, route, request, exchange);
    const { resource } = route;
    if (request.method === "POST") send(response, createObject(store, { ...request, resource, namespace }));
    else if (request.method !== "GET") throw methodNotAllowed();
    else if (flag(request.query, "watch"))
      streamWatch(
        store,
        { resource, namespace: route.namespace, query: request.query, bookmarkMs: deps.bookmarkMs },
        response,
      );
    else send(response, listObjects(store, resource, route.namespace, request.query));
  };
}

async function object(
  deps: HandlerDependencies,
  route: ObjectRoute,
  request: ApiRequest,
  exchange: Exchange,
): Promise<void> {
  const { store, kubelet, node } = deps;
  const { response } = exchange;
  const { resource, namespace, name } = route;
  if (resource === "pods" && route.subresource === "log" && request.method === "GET") {
    const pod = existing(store, "pods", namespace, name);
    if (pod.spec.nodeName && !node.kubelet.listening) throw kubeletUnreachable(node.kubelet.port, pod, request.query);
    const logDeps = { kubelet, tickMs: deps.followEndMs, kubeletGone: node.kubelet.gone };
    return await streamPodLog(logDeps, pod, request.query, exchange);
  }
  if (resource === "pods" && route.subresource === "proxy") {
    const query = request.query.size > 0 ? `?${request.query.toString()}` : "";
    return send(
      response,
      await proxyToPod(store, kubelet, namespace, name, { ...request, path: `/${route.rest}${query}` }),
    );
  }
  if (route.subresource !== undefined) throw unknownPath();
  send(response, oneObject(deps, route, request));
}

function oneObject(
  { store }: HandlerDependencies,
  { resource, namespace, name }: ObjectRoute,
  request: ApiRequest,
): Answer {
  switch (request.method) {
    case "GET":
      return getObject(store, resource, namespace, name);
    case "PATCH":
      return patchObject(store, { ...request, resource, namespace }, name);
    case "DELETE":
      return removeObject(store, { ...request, resource, namespace }, name);
    default:
      throw methodNotAllowed();
  }
}

/** What the API server says that does not reach the kubelet: the error of its HTTP client as it is. */
function kubeletUnreachable(port: number, { metadata, spec }: Pod, query: URLSearchParams): ApiError {
  const container = query.get("container") || spec.containers[0]!.name;
  const rest = new URLSearchParams(query);
  rest.delete("container");
  rest.sort();
  const path = `${metadata.namespace}/${metadata.name}/${container}${rest.size > 0 ? `?${rest.toString()}` : ""}`;
  const url = `https://127.0.0.1:${port}/containerLogs/${path}`;
  return new ApiError(500, undefined, `Get "${url}": dial tcp 127.0.0.1:${port}: connect: connection refused`);
}
