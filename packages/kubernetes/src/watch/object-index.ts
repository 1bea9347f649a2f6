import type { KubernetesObject } from "../list.ts";
import type { ObjectEvent } from "./event.ts";

/** The objects of one kind, by UID and by the name of the TestRun they belong to. Changes return the names concerned. */
export class ObjectIndex<T extends KubernetesObject> {
  readonly #nameOf: (object: T) => string | undefined;
  readonly #byUid = new Map<string, T>();
  readonly #byName = new Map<string, Map<string, T>>();

  /** @param nameOf - the TestRun's name; objects without one are left out */
  constructor(nameOf: (object: T) => string | undefined) {
    this.#nameOf = nameOf;
  }

  get size(): number {
    return this.#byUid.size;
  }

  named(name: string): T[] {
    return Array.from(this.#byName.get(name)?.values() ?? []);
  }

  /** Takes a whole list: what is not in it is gone. */
  replace(items: readonly T[]): Set<string> {
    const listed = new Set(items.map((item) => item.metadata.uid));
    const names = new Set<string>();
    for (const uid of Array.from(this.#byUid.keys())) if (!listed.has(uid)) this.#remove(uid, names);
    for (const item of items) {
      const known = this.#byUid.get(item.metadata.uid);
      const version = item.metadata.resourceVersion;
      if (known === undefined || version === undefined || known.metadata.resourceVersion !== version)
        this.#put(item, names);
    }
    return names;
  }

  apply({ type, object }: ObjectEvent<T>): Set<string> {
    const names = new Set<string>();
    if (type === "DELETED") this.#remove(object.metadata.uid, names);
    else this.#put(object, names);
    return names;
  }

  #put(object: T, names: Set<string>): void {
    const { uid } = object.metadata;
    const name = this.#nameOf(object);
    const known = this.#byUid.get(uid);
    if (known !== undefined && this.#nameOf(known) !== name) this.#remove(uid, names);
    if (name === undefined) return;
    this.#byUid.set(uid, object);
    const group = this.#byName.get(name) ?? new Map<string, T>();
    group.set(uid, object);
    this.#byName.set(name, group);
    names.add(name);
  }

  #remove(uid: string, names: Set<string>): void {
    const known = this.#byUid.get(uid);
    const name = known && this.#nameOf(known);
    if (name === undefined) return;
    this.#byUid.delete(uid);
    const group = this.#byName.get(name);
    group?.delete(uid);
    if (group?.size === 0) this.#byName.delete(name);
    names.add(name);
  }
}
