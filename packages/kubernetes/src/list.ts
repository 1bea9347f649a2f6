import { ClusterError, type ObjectMeta } from "@tailrace/core";
import { withQuery } from "./paths.ts";
import type { Transport } from "./transport.ts";

export interface KubernetesObject {
  metadata: ObjectMeta;
}

export interface ObjectList<T> {
  items: T[];
  /** Where a watch continues. */
  resourceVersion: string;
}

const PAGE_SIZE = 500;

/** All pages of a list, as of one moment. */
export async function listAll<T extends KubernetesObject>(
  transport: Transport,
  path: string,
  labelSelector: string | undefined,
  signal: AbortSignal,
): Promise<ObjectList<T>> {
  const items: T[] = [];
  let more: string | undefined;
  for (;;) {
    const query = { limit: PAGE_SIZE, ...(labelSelector && { labelSelector }), ...(more && { continue: more }) };
    const page = asPage(await transport.json({ method: "GET", path: withQuery(path, query) }, signal), path);
    for (const item of page.items) items.push(withoutManagedFields(item as T));
    if (page.continue === undefined) return { items, resourceVersion: page.resourceVersion };
    more = page.continue;
  }
}

interface ListPage {
  items: unknown[];
  resourceVersion: string;
  continue: string | undefined;
}

function asPage(answer: unknown, path: string): ListPage {
  const list = (answer ?? {}) as { items?: unknown; metadata?: { resourceVersion?: unknown; continue?: unknown } };
  const { resourceVersion, continue: more } = list.metadata ?? {};
  const items = list.items ?? [];
  if (!Array.isArray(items) || typeof resourceVersion !== "string" || !items.every(isKubernetesObject)) {
    throw new ClusterError("server_error", `GET ${path}: the answer is not a list`);
  }
  return { items, resourceVersion, continue: typeof more === "string" && more !== "" ? more : undefined };
}

export function isKubernetesObject(value: unknown): value is KubernetesObject {
  const metadata = (value as { metadata?: { name?: unknown; uid?: unknown } } | null)?.metadata;
  return typeof metadata?.name === "string" && typeof metadata.uid === "string";
}

/** They are as large as the rest of the object, and nothing here reads them. */
export function withoutManagedFields<T extends KubernetesObject>(object: T): T {
  delete (object.metadata as ObjectMeta & { managedFields?: unknown }).managedFields;
  return object;
}
