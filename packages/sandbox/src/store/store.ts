import { randomUUID } from "node:crypto";
import { RESOURCES, RESOURCE_NAMES, type ResourceName } from "../api/resources.ts";
import { alreadyExists, expired, invalid, notFound } from "../api/status.ts";
import { now } from "./time.ts";
import type { Kinds } from "./kinds.ts";
import type { Metadata, StoredObject } from "./objects.ts";
import type { Change } from "./watch-event.ts";

/** What a creator gives; the store adds the rest of the metadata. */
export interface NewObject {
  metadata: Partial<Metadata> & { namespace: string };
  [field: string]: unknown;
}

interface Collection {
  objects: Map<string, StoredObject>;
  /** Keys of the objects that name an owner, by the owner's UID. */
  owned: Map<string, Set<string>>;
  /** The newest changes, oldest first. */
  history: Change[];
  /** Changes up to this resourceVersion are forgotten. */
  compacted: number;
  watchers: Set<(change: Change) => void>;
}

/**
 * The cluster's objects: one resourceVersion counter for all kinds, a bounded history of changes per kind. Stored objects
 * are never changed in place, so that a reader may keep what it got.
 */
export class ObjectStore {
  readonly #collections: Record<ResourceName, Collection>;
  readonly #keep: number;
  #resourceVersion = 1000;
  #oldest = 1000;

  /** @param keep - changes kept per kind, before a watch from an older resourceVersion is refused */
  constructor(keep: number) {
    this.#keep = keep;
    const empty = (): Collection => ({
      objects: new Map(),
      owned: new Map(),
      history: [],
      compacted: this.#resourceVersion,
      watchers: new Set(),
    });
    this.#collections = Object.fromEntries(RESOURCE_NAMES.map((name) => [name, empty()])) as Record<
      ResourceName,
      Collection
    >;
  }

  get resourceVersion(): number {
    return this.#resourceVersion;
  }

  /** Nothing older can be read any more, for any kind. */
  get oldest(): number {
    return this.#oldest;
  }

  get<R extends ResourceName>(resource: R, namespace: string, name: string): Kinds[R] | undefined {
    return this.#collections[resource].objects.get(`${namespace}/${name}`) as Kinds[R] | undefined;
  }

  /** Sorted by namespace and name, as the API server's storage sorts. */
  list<R extends ResourceName>(resource: R, namespace?: string): Kinds[R][] {
    const objects = Array.from(this.#collections[resource].objects.values()) as Kinds[R][];
    return objects.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace).sort(byKey);
  }

  /** Those that name the owner, in the order of their creation. */
  ownedBy<R extends ResourceName>(resource: R, uid: string): Kinds[R][] {
    const { objects, owned } = this.#collections[resource];
    return Array.from(owned.get(uid) ?? [], (key) => objects.get(key) as Kinds[R]);
  }

  /** @throws ApiError 409 AlreadyExists */
  create<R extends ResourceName>(resource: R, object: NewObject): Kinds[R] {
    const collection = this.#collections[resource];
    const { generateName } = object.metadata;
    const name =
      object.metadata.name ??
      freshName(
        generateName ?? "",
        (candidate) => this.get(resource, object.metadata.namespace, candidate) !== undefined,
      );
    const key = `${object.metadata.namespace}/${name}`;
    if (collection.objects.has(key)) throw alreadyExists(RESOURCES[resource], name);
    const metadata: Metadata = {
      ...object.metadata,
      name,
      uid: object.metadata.uid ?? randomUUID(),
      resourceVersion: this.#next(),
      creationTimestamp: now(),
      ...(RESOURCES[resource].generation ? { generation: 1 } : {}),
    };
    const stored: StoredObject = { ...structuredClone(object), metadata: structuredClone(metadata) };
    collection.objects.set(key, stored);
    for (const { uid } of stored.metadata.ownerReferences ?? []) {
      const keys = collection.owned.get(uid) ?? new Set();
      collection.owned.set(uid, keys.add(key));
    }
    this.#emit(collection, { type: "ADDED", object: stored, previous: undefined });
    return stored as Kinds[R];
  }

  /**
   * Changes an object in a copy. Nothing happens when the copy stays equal; a changed spec raises the generation; an
   * object that is being deleted goes with its last finalizer.
   *
   * @returns the object as it now is, or as it last was
   * @throws ApiError 404
   */
  update<R extends ResourceName>(
    resource: R,
    namespace: string,
    name: string,
    change: (draft: Kinds[R]) => void,
  ): Kinds[R] {
    const collection = this.#collections[resource];
    const previous = this.get(resource, namespace, name);
    if (previous === undefined) throw notFound(RESOURCES[resource], name);
    const draft = structuredClone(previous);
    change(draft);
    refuseNewFinalizers(resource, previous, draft);
    if (same(previous, draft)) return previous;
    if (RESOURCES[resource].generation && !same(bound(previous), bound(draft)))
      draft.metadata.generation = (previous.metadata.generation ?? 0) + 1;
    // The answer to who takes off the last finalizer has the old resourceVersion.
    if (!isGone(draft) || previous.metadata.deletionTimestamp !== draft.metadata.deletionTimestamp) {
      draft.metadata.resourceVersion = this.#next();
      collection.objects.set(`${namespace}/${name}`, draft);
      this.#emit(collection, { type: "MODIFIED", object: draft, previous });
    }
    if (isGone(draft)) this.#remove(collection, draft);
    return draft;
  }

  /** Removes an object whatever its finalizers say. */
  remove(resource: ResourceName, namespace: string, name: string): void {
    const object = this.get(resource, namespace, name);
    if (object !== undefined) this.#remove(this.#collections[resource], object);
  }

  /**
   * Calls back with every change after `since`, at once with those that are kept, then as they happen.
   *
   * @returns the unsubscriber
   * @throws ApiError 410 when changes after `since` are forgotten
   */
  watch<R extends ResourceName>(resource: R, since: number, listen: (change: Change<Kinds[R]>) => void): () => void {
    const collection = this.#collections[resource];
    const listener = listen as (change: Change) => void;
    if (since < collection.compacted) throw expired(since, collection.compacted);
    for (const change of collection.history) if (change.resourceVersion > since) listener(change);
    collection.watchers.add(listener);
    return () => void collection.watchers.delete(listener);
  }

  /** Forgets all changes so far: a watch from an earlier resourceVersion is refused with 410. */
  compact(): void {
    this.#oldest = ++this.#resourceVersion;
    for (const name of RESOURCE_NAMES) {
      this.#collections[name].history = [];
      this.#collections[name].compacted = this.#resourceVersion;
    }
  }

  #remove(collection: Collection, object: StoredObject): void {
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    const previous = collection.objects.get(key);
    collection.objects.delete(key);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const keys = collection.owned.get(uid);
      keys?.delete(key);
      if (keys?.size === 0) collection.owned.delete(uid);
    }
    const last: StoredObject = { ...object, metadata: { ...object.metadata, resourceVersion: this.#next() } };
    this.#emit(collection, { type: "DELETED", object: last, previous });
  }

  #emit(collection: Collection, change: Omit<Change, "resourceVersion">): void {
    const whole: Change = { ...change, resourceVersion: Number(change.object.metadata.resourceVersion) };
    collection.history.push(whole);
    if (collection.history.length > this.#keep) {
      const dropped = collection.history.splice(0, collection.history.length - this.#keep);
      collection.compacted = dropped.at(-1)!.resourceVersion;
    }
    for (const listener of Array.from(collection.watchers)) listener(whole);
  }

  #next(): string {
    return String(++this.#resourceVersion);
  }
}

/** The alphabet of k8s.io/apimachinery, util/rand: no vowels, nothing that looks like another. */
const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** A longer prefix is cut, so that the name stays a label (apiserver, pkg/storage/names/generate.go). */
const MAX_GENERATED_PREFIX = 58;

/** `generateName` and five random characters that are not taken. */
function freshName(prefix: string, taken: (name: string) => boolean): string {
  for (;;) {
    const suffix = Array.from(
      { length: 5 },
      () => SUFFIX_ALPHABET[Math.floor(Math.random() * SUFFIX_ALPHABET.length)],
    ).join("");
    const name = prefix.slice(0, MAX_GENERATED_PREFIX) + suffix;
    if (!taken(name)) return name;
  }
}

/** An object that is being deleted may lose finalizers but not get any. */
function refuseNewFinalizers(resource: ResourceName, previous: StoredObject, draft: StoredObject): void {
  if (previous.metadata.deletionTimestamp === undefined) return;
  const added = (draft.metadata.finalizers ?? []).filter((name) => !previous.metadata.finalizers?.includes(name));
  if (added.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(", ")}}`;
  throw invalid(RESOURCES[resource], draft.metadata.name, [
    { reason: "FieldValueForbidden", message, field: "metadata.finalizers" },
  ]);
}

function isGone({ metadata }: StoredObject): boolean {
  const deleted = metadata.deletionTimestamp !== undefined && (metadata.deletionGracePeriodSeconds ?? 0) === 0;
  return deleted && !metadata.finalizers?.length;
}

/** What counts for the generation: being bound to a node does not. */
function bound({ spec }: StoredObject): object {
  return { ...(spec as object), nodeName: undefined };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function byKey(a: StoredObject, b: StoredObject): number {
  const left = `${a.metadata.namespace}/${a.metadata.name}`;
  const right = `${b.metadata.namespace}/${b.metadata.name}`;
  return left < right ? -1 : left > right ? 1 : 0;
}
