import { ClusterError } from "@tailrace/core";
import { type StatusLike, statusObjectError } from "../answer-error.ts";
import { isKubernetesObject, type KubernetesObject, withoutManagedFields } from "../list.ts";

export type ObjectEvent<T> = { type: "ADDED" | "MODIFIED" | "DELETED"; object: T };

/** One line of a watch (k8s.io/apimachinery, pkg/watch/watch.go). */
export type WatchEvent<T> =
  | (ObjectEvent<T> & { resourceVersion: string })
  | { type: "BOOKMARK"; resourceVersion: string }
  | { type: "ERROR"; error: ClusterError };

/** Anything that is not an event becomes an `ERROR` with code `server_error`. */
export function readEvent<T extends KubernetesObject>(line: string, what: string): WatchEvent<T> {
  let event: { type?: unknown; object?: StatusLike & { metadata?: { resourceVersion?: unknown } } } | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch (cause) {
    return { type: "ERROR", error: new ClusterError("server_error", `${what}: an event is not JSON`, { cause }) };
  }
  const object = event?.object;
  const resourceVersion = object?.metadata?.resourceVersion;
  if (event?.type === "ERROR") return { type: "ERROR", error: statusObjectError(what, object ?? {}) };
  if (event?.type === "BOOKMARK" && typeof resourceVersion === "string") return { type: "BOOKMARK", resourceVersion };
  if (isObjectEvent(event?.type) && typeof resourceVersion === "string" && isKubernetesObject(object)) {
    return { type: event.type, object: withoutManagedFields(object as T), resourceVersion };
  }
  return { type: "ERROR", error: new ClusterError("server_error", `${what}: an unknown event: ${line.slice(0, 200)}`) };
}

function isObjectEvent(type: unknown): type is ObjectEvent<never>["type"] {
  return type === "ADDED" || type === "MODIFIED" || type === "DELETED";
}
