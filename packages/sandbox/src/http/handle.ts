import type { ServerResponse } from "node:http";
import { methodNotAllowed, namespaceNotFound, unknownPath } from "../api/status.ts";
import type { Kubelet } from "../kubelet/kubelet.ts";
import { flag } from "../logs/request.ts";
import type { ObjectStore } from "../store/store.ts";
import { send, type Answer } from "./answer.ts";
import type { ApiRequest } from "./api-server.ts";
import { discover } from "./discovery.ts";
import { createObject, existing, getObject, listObjects, patchObject, removeObject, reviewAccess } from "./objects.ts";
import { streamPodLog } from "./pod-log.ts";
import { proxyToPod } from "./pod-proxy.ts";
import { parsePath, type Route } from "./route.ts";
import { streamWatch } from "./watch.ts";

export interface HandlerDependencies {
  store: ObjectStore;
  kubelet: Kubelet;
  namespace: string;
  bookmarkMs: number;
  followEndMs: number;
  address(): string;
}

type ObjectRoute = Extract<Route, { to: "object" }>;

/** Answers the requests of the API. */
export function createHandler(
  deps: HandlerDependencies,
): (request: ApiRequest, response: ServerResponse) => Promise<void> {
  const { store, namespace } = deps;
  return async (request, response) => {
    const route = parsePath(request.path);
    if (route === null) throw unknownPath();
    if (route.to === "discovery") return send(response, discover(route.path, deps.address()));
    if (route.to === "access-review") return send(response, reviewAccess(request.method, request.body));
    if (request.method !== "GET" && route.namespace !== namespace) throw namespaceNotFound(route.namespace ?? "");
    if (route.to === "object") return await object(deps, route, request, response);
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
  response: ServerResponse,
): Promise<void> {
  const { store, kubelet } = deps;
  const { resource, namespace, name } = route;
  if (resource === "pods" && route.subresource === "log" && request.method === "GET") {
    return await streamPodLog(
      kubelet,
      existing(store, "pods", namespace, name),
      request.query,
      deps.followEndMs,
      response,
    );
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
