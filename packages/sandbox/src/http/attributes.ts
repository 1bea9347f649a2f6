import type { ResourceAttributes } from "../api/access.ts";
import { RESOURCES } from "../api/resources.ts";
import { flag } from "../logs/request.ts";
import type { Route } from "./route.ts";

const VERBS: Record<string, string> = {
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** What a method does to one object, or to a subresource; a `GET` gets. */
export function verbOf(method: string): string {
  return VERBS[method] ?? "get";
}

/** What a request does, as the API server names it (k8s.io/apiserver, pkg/endpoints/request); null for what is no resource. */
export function attributesOf(route: Route, method: string, query: URLSearchParams): ResourceAttributes | null {
  if (route.to === "discovery") return null;
  const verb = verbOf(method);
  if (route.to === "access-review")
    return {
      verb,
      group: "authorization.k8s.io",
      resource: "selfsubjectaccessreviews",
      subresource: "",
      namespace: undefined,
      name: undefined,
    };
  if (route.to === "node-proxy")
    return { verb, group: "", resource: "nodes", subresource: "proxy", namespace: undefined, name: route.node };
  const { group, plural } = RESOURCES[route.resource];
  const about = { group, resource: plural, namespace: route.namespace };
  if (route.to === "object") return { ...about, verb, subresource: route.subresource ?? "", name: route.name };
  const collection = verb === "get" ? (flag(query, "watch") ? "watch" : "list") : verb;
  return {
    ...about,
    verb: collection === "delete" ? "deletecollection" : collection,
    subresource: "",
    name: undefined,
  };
}
