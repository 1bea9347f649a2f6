import { posix } from "node:path";
import { findResource, type ResourceName } from "../api/resources.ts";

/** A path below the API's roots, taken apart. */
export type Route =
  | { to: "collection"; resource: ResourceName; namespace: string | undefined }
  | {
      to: "object";
      resource: ResourceName;
      namespace: string;
      name: string;
      subresource: string | undefined;
      rest: string;
    }
  | { to: "access-review" }
  /** `rest` is what the kubelet is asked for, not decoded. */
  | { to: "node-proxy"; node: string; rest: string }
  | { to: "discovery"; path: string };

/** @returns null for a malformed path */
export function parsePath(path: string): Route | null {
  const parts = decode(path);
  if (parts === null) return null;
  const proxied = /^\/api\/v1\/nodes\/([^/]+)\/proxy(\/.*)?$/.exec(path);
  if (proxied !== null) return { to: "node-proxy", node: parts[3]!, rest: posix.normalize(proxied[2] ?? "/") };
  if (path === "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") return { to: "access-review" };
  const core = parts[0] === "api" && parts.length > 2;
  const named = parts[0] === "apis" && parts.length > 3;
  if (!core && !named) return { to: "discovery", path };
  const [group, version] = core ? ["", parts[1]!] : [parts[1]!, parts[2]!];
  const rest = parts.slice(core ? 2 : 3);
  const namespaced = rest[0] === "namespaces" && rest.length > 2;
  const [plural, name, subresource, ...more] = namespaced ? rest.slice(2) : rest;
  const resource = findResource(group, version, plural ?? "");
  if (resource === undefined) return { to: "discovery", path };
  const namespace = namespaced ? rest[1] : undefined;
  if (name === undefined) return { to: "collection", resource, namespace };
  if (namespace === undefined) return { to: "discovery", path };
  return { to: "object", resource, namespace, name, subresource, rest: more.join("/") };
}

function decode(path: string): string[] | null {
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
