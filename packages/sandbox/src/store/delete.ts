import { RESOURCES, type ResourceName } from "../api/resources.ts";
import { notFound, uidMismatch } from "../api/status.ts";
import type { Pod } from "./kinds.ts";
import type { StoredObject } from "./objects.ts";
import type { ObjectStore } from "./store.ts";
import { timestamp } from "./time.ts";

export interface DeleteOptions {
  /** Refused with 409 when the object has another UID. */
  uid?: string | undefined;
  /** (Default: 30 for a pod whose container runs, else 0) */
  gracePeriodSeconds?: number | undefined;
}

/**
 * Deletes as the API server does: an object with finalizers, and a pod that a kubelet still runs, get a deletionTimestamp
 * and stay; anything else goes at once.
 *
 * @returns the object as it now is, or as it last was
 * @throws ApiError 404, and 409 for another UID
 */
export function deleteObject(
  store: ObjectStore,
  resource: ResourceName,
  namespace: string,
  name: string,
  options: DeleteOptions,
): StoredObject {
  const object = store.get(resource, namespace, name);
  if (object === undefined) throw notFound(RESOURCES[resource], name);
  if (options.uid !== undefined && options.uid !== object.metadata.uid)
    throw uidMismatch(RESOURCES[resource], name, options.uid, object.metadata.uid);
  const grace = graceSeconds(resource, object, options);
  const already = object.metadata.deletionTimestamp !== undefined;
  if (already && grace >= (object.metadata.deletionGracePeriodSeconds ?? 0)) return object;
  if (resource !== "pods" && !object.metadata.finalizers?.length) {
    store.remove(resource, namespace, name);
    return object;
  }
  return store.update(resource, namespace, name, ({ metadata }) => {
    metadata.deletionTimestamp = timestamp(new Date(Date.now() + grace * 1000));
    metadata.deletionGracePeriodSeconds = grace;
    if (!already && RESOURCES[resource].generation) metadata.generation = (metadata.generation ?? 0) + 1;
  });
}

/** k8s.io/kubernetes, pkg/registry/core/pod/strategy.go: no grace for a pod without a node, and none for one that has ended. */
function graceSeconds(resource: ResourceName, object: StoredObject, options: DeleteOptions): number {
  if (resource !== "pods") return 0;
  const { spec, status } = object as Pod;
  const ended = status.phase === "Succeeded" || status.phase === "Failed";
  if (!spec.nodeName || ended) return 0;
  return options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
}
