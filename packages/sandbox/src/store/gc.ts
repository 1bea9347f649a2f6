import { RESOURCE_NAMES, resourceOfKind, type ResourceName } from "../api/resources.ts";
import { deleteObject } from "./delete.ts";
import type { StoredObject } from "./objects.ts";
import type { ObjectStore } from "./store.ts";

/** Finds an object by its place. */
type Find = (resource: ResourceName, namespace: string, name: string) => StoredObject | undefined;

/** Whether none of an object's owners is there any more, going by UID. An object without owners is no orphan. */
function isOrphan(object: StoredObject, find: Find): boolean {
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0) return false;
  return owners.every((owner) => {
    const resource = resourceOfKind(owner.apiVersion, owner.kind);
    if (resource === undefined) return false;
    return find(resource, object.metadata.namespace, owner.name)?.metadata.uid !== owner.uid;
  });
}

/**
 * The garbage collector's background propagation: deletes what an object that is gone leaves without an owner. The Job
 * controller's finalizer is taken off first, as that controller does for pods whose Job is gone.
 */
export function collectDependents(store: ObjectStore, ownerUid: string): void {
  const find: Find = (resource, namespace, name) => store.get(resource, namespace, name);
  for (const resource of RESOURCE_NAMES) {
    for (const object of store.ownedBy(resource, ownerUid)) {
      if (!isOrphan(object, find)) continue;
      const { namespace, name } = object.metadata;
      store.update(resource, namespace, name, ({ metadata }) => void delete metadata.finalizers);
      if (store.get(resource, namespace, name) !== undefined) deleteObject(store, resource, namespace, name, {});
    }
  }
}
