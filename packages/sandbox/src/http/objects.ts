import type { Access, ResourceAttributes } from "../api/access.ts";
import { mergePatch } from "../api/merge-patch.ts";
import { pruneTestRun } from "../api/prune.ts";
import { render, renderList } from "../api/render.ts";
import { RESOURCES, type ResourceName } from "../api/resources.ts";
import { ApiError, badRequest, expired, methodNotAllowed, modified, notFound, success } from "../api/status.ts";
import { acceptNew, refuse } from "../api/validate.ts";
import { withSelector } from "../controllers/job-pod.ts";
import { podDefaults } from "../kubelet/pod-defaults.ts";
import { deleteObject } from "../store/delete.ts";
import type { Kinds } from "../store/kinds.ts";
import type { StoredObject } from "../store/objects.ts";
import { parseSelectors } from "../store/selectors.ts";
import type { NewObject, ObjectStore } from "../store/store.ts";
import type { Answer } from "./answer.ts";

/** A request for objects of one kind. */
export interface ObjectRequest {
  resource: ResourceName;
  namespace: string;
  query: URLSearchParams;
  body: string;
  contentType: string | undefined;
}

/** `POST` of a collection. */
export function createObject(store: ObjectStore, { resource, namespace, body }: ObjectRequest): Answer {
  const object = acceptNew(resource, namespace, parseJson(resource, body));
  const { object: complete, warnings } = completed(resource, object);
  const created = store.create(resource, complete);
  return {
    status: 201,
    json: render(resource, created),
    ...(warnings.length > 0 ? { headers: { warning: warnings } } : {}),
  };
}

function completed(resource: ResourceName, object: NewObject): { object: NewObject; warnings: string[] } {
  if (resource === "jobs") return { object: withSelector(object), warnings: [] };
  if (resource === "pods") return { object: podDefaults(object), warnings: [] };
  if (resource !== "testruns") return { object, warnings: [] };
  const { spec, unknown } = pruneTestRun((object.spec ?? {}) as Record<string, unknown>);
  return { object: { ...object, spec }, warnings: unknown.map((path) => `299 - "unknown field \\"${path}\\""`) };
}

export function getObject(store: ObjectStore, resource: ResourceName, namespace: string, name: string): Answer {
  return { status: 200, json: render(resource, existing(store, resource, namespace, name)) };
}

/** @throws ApiError 404 */
export function existing<R extends ResourceName>(
  store: ObjectStore,
  resource: R,
  namespace: string,
  name: string,
): Kinds[R] {
  const object = store.get(resource, namespace, name);
  if (object === undefined) throw notFound(RESOURCES[resource], name);
  return object;
}

/** `GET` of a collection: pages of one list carry the resourceVersion of its first page. */
export function listObjects(
  store: ObjectStore,
  resource: ResourceName,
  namespace: string | undefined,
  query: URLSearchParams,
): Answer {
  const selects = parseSelectors(query.get("labelSelector") ?? undefined, query.get("fieldSelector") ?? undefined);
  const limit = Number(query.get("limit") ?? 0);
  const page = readContinue(query.get("continue"), store);
  refuseFuture(query.get("resourceVersion"), store.resourceVersion);
  const matching = store
    .list(resource, namespace)
    .filter((object) => selects(object) && (page.after === undefined || keyOf(object) > page.after));
  const items = limit > 0 ? matching.slice(0, limit) : matching;
  const left = matching.length - items.length;
  const next =
    left > 0 ? { continue: writeContinue(page.resourceVersion, keyOf(items.at(-1)!)), remainingItemCount: left } : {};
  return { status: 200, json: renderList(resource, items, { resourceVersion: String(page.resourceVersion), ...next }) };
}

function keyOf({ metadata }: StoredObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function writeContinue(resourceVersion: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: resourceVersion, start: after })).toString("base64url");
}

function readContinue(
  token: string | null,
  store: ObjectStore,
): { resourceVersion: number; after: string | undefined } {
  if (token === null || token === "") return { resourceVersion: store.resourceVersion, after: undefined };
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as { rv: number; start: string };
    if (rv < store.oldest) throw expired(rv, store.oldest);
    return { resourceVersion: rv, after: start };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw badRequest(`invalid continue token: continue key is not valid: ${(error as Error).message}`);
  }
}

function refuseFuture(asked: string | null, current: number): void {
  if (asked === null || Number(asked) <= current) return;
  const details = { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }] };
  throw new ApiError(504, "Timeout", `Timeout: Too large resource version: ${asked}, current: ${current}`, details);
}

/** `PATCH` of an object with a merge patch. Status is a subresource and stays. */
export function patchObject(
  store: ObjectStore,
  { resource, namespace, body, contentType }: ObjectRequest,
  name: string,
): Answer {
  if (contentType?.split(";")[0] !== "application/merge-patch+json") {
    const message =
      "the body of the request was in an unknown format - accepted media types include: application/merge-patch+json";
    throw new ApiError(415, "UnsupportedMediaType", message);
  }
  const current = existing(store, resource, namespace, name);
  const patch = parseJson(resource, body) as { metadata?: { resourceVersion?: string } } | null;
  const asked = patch?.metadata?.resourceVersion;
  if (asked !== undefined && asked !== current.metadata.resourceVersion) throw modified(RESOURCES[resource], name);
  const patched = mergePatch(current, patch) as StoredObject;
  refuse(resource, patched);
  const updated = store.update(resource, namespace, name, (draft) => {
    const { metadata, status: _status, kind: _kind, apiVersion: _version, ...fields } = patched;
    Object.assign(
      draft,
      resource === "testruns" ? { ...fields, spec: pruneTestRun(fields.spec as Record<string, unknown>).spec } : fields,
    );
    for (const field of ["labels", "annotations", "finalizers", "ownerReferences"] as const) {
      if (metadata[field] === undefined) delete draft.metadata[field];
      else Object.assign(draft.metadata, { [field]: metadata[field] });
    }
  });
  return { status: 200, json: render(resource, updated) };
}

/** `DELETE` of an object. What is gone at once is answered by a Status, but for pods. */
export function removeObject(
  store: ObjectStore,
  { resource, namespace, query, body }: ObjectRequest,
  name: string,
): Answer {
  const options =
    body === ""
      ? {}
      : (parseJson(resource, body) as { preconditions?: { uid?: string }; gracePeriodSeconds?: number } | null);
  const seconds = query.get("gracePeriodSeconds");
  const object = deleteObject(store, resource, namespace, name, {
    uid: options?.preconditions?.uid,
    gracePeriodSeconds: options?.gracePeriodSeconds ?? (seconds === null ? undefined : Number(seconds)),
  });
  const { group, plural } = RESOURCES[resource];
  if (resource === "pods" || store.get(resource, namespace, name) !== undefined)
    return { status: 200, json: render(resource, object) };
  return {
    status: 200,
    json: success({ name, ...(group === "" ? {} : { group }), kind: plural, uid: object.metadata.uid }),
  };
}

function parseJson(resource: ResourceName, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    const what = `couldn't get version/kind; json parse error: ${(error as Error).message}`;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${RESOURCES[resource].kind}): ${what} (${body.slice(0, 40)})`,
    );
  }
}

/** `POST` of a SelfSubjectAccessReview: whether the only user may do it. */
export function reviewAccess(access: Access, method: string, body: string): Answer {
  if (method !== "POST") throw methodNotAllowed();
  const { spec } = JSON.parse(body) as { spec?: { resourceAttributes?: Partial<ResourceAttributes> } };
  const { verb = "", group = "", resource = "", subresource = "", namespace, name } = spec?.resourceAttributes ?? {};
  const allowed = access.allows({ verb, group, resource, subresource, namespace, name });
  return {
    status: 201,
    json: {
      kind: "SelfSubjectAccessReview",
      apiVersion: "authorization.k8s.io/v1",
      metadata: {},
      spec: spec ?? {},
      status: { allowed },
    },
  };
}
