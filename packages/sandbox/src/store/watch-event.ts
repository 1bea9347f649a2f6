import type { StoredObject } from "./objects.ts";
import type { Selector } from "./selectors.ts";

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** One change of one object. */
export interface Change<T extends StoredObject = StoredObject> {
  resourceVersion: number;
  type: ChangeType;
  object: T;
  /** What the object was before, for MODIFIED and DELETED. */
  previous: T | undefined;
}

/**
 * What a watch with a selector tells of a change: an object that comes into the selection is ADDED, one that leaves it is
 * DELETED with its last selected state and the change's resourceVersion (k8s.io/apiserver, storage/cacher, cacheWatcher).
 *
 * @returns undefined when the watch does not see the change
 */
export function selectedEvent(
  change: Change,
  selects: Selector,
): { type: ChangeType; object: StoredObject } | undefined {
  const now = change.type !== "DELETED" && selects(change.object);
  const before = change.previous !== undefined && selects(change.previous);
  if (now) return { type: before ? "MODIFIED" : "ADDED", object: change.object };
  if (!before) return undefined;
  const last = change.type === "DELETED" ? change.object : change.previous!;
  return {
    type: "DELETED",
    object: { ...last, metadata: { ...last.metadata, resourceVersion: String(change.resourceVersion) } },
  };
}
