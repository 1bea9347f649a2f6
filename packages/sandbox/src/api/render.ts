import type { StoredObject } from "../store/objects.ts";
import { apiVersion, RESOURCES, type ResourceName } from "./resources.ts";

/** An object as a client gets it. */
export function render(resource: ResourceName, object: StoredObject): object {
  return { kind: RESOURCES[resource].kind, apiVersion: apiVersion(RESOURCES[resource]), ...object };
}

/** The items of a list carry kind and version only where they are custom resources. */
export function renderList(
  resource: ResourceName,
  items: StoredObject[],
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number },
): object {
  const custom = resource === "testruns";
  return {
    kind: `${RESOURCES[resource].kind}List`,
    apiVersion: apiVersion(RESOURCES[resource]),
    metadata: custom ? { continue: "", ...metadata } : metadata,
    items: custom ? items.map((item) => render(resource, item)) : items,
  };
}
