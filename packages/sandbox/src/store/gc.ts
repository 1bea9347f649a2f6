import { RESOURCE_NAMES, resourceOfKind, type ResourceName } from "../api/resources.ts";
import { deleteObject } from "./delete.ts";
import type { StoredObject } from "./objects.ts";
import type { ObjectStore } from "./store.ts";

/** Whether none of an object's owners is there any more, going by UID. Objects without owners are no orphans. */
export function isOrphan(object: StoredObject, find: (resource: ResourceName, namespace: string, name: string) => StoredObject | undefined): boolean {
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0) return false;
  return owners.every((owner) => {
    const resource = resourceOfKind(owner.apiVersion, owner.kind);
    if (resource === undefined) return false;
    return find(resource, object.metadata.namespace, owner.name)?.metadata.uid !== owner.uid;
  });
}

/**
 * The garbage collector, for background propagation: deletes what is left without an owner. The finalizer of the Job
 * controller is taken off first, as that controller does for pods whose Job is gone.
 */
export function collectGarbage(store: ObjectStore): void {
  for (const resource of RESOURCE_NAMES) {
    for (const object of store.list(resource)) {
      const { namespace, name } = object.metadata;
      if (!isOrphan(object, (kind, space, owner) => store.get(kind, space, owner))) continue;
      if (object.metadata.finalizers !== undefined) store.update(resource, namespace, name, ({ metadata }) => void delete metadata.finalizers);
      if (store.get(resource, namespace, name) !== undefined) deleteObject(store, resource, namespace, name, {});
    }
  }
}
