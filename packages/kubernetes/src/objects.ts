import { ClusterError } from "@tailrace/core";
import { isKubernetesObject, withoutManagedFields, type KubernetesObject } from "./list.ts";
import type { Transport } from "./transport.ts";

/** How an object is deleted, as in `DeleteOptions` (k8s.io/apimachinery, pkg/apis/meta/v1/types.go). */
export interface Deletion {
  /** Of the object that is meant; another one of its name stays. */
  uid: string;
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

/** @returns null where there is none */
export async function readObject<T extends KubernetesObject>(
  transport: Transport,
  path: string,
  signal: AbortSignal,
): Promise<T | null> {
  const found = await unlessNotFound(transport.json({ method: "GET", path }, signal));
  return found === null ? null : (asObject(found, `GET ${path}`) as T);
}

export async function createObject<T extends KubernetesObject>(
  transport: Transport,
  path: string,
  manifest: object,
  signal: AbortSignal,
): Promise<T> {
  const body = JSON.stringify(manifest);
  return asObject(await transport.json({ method: "POST", path, body }, signal), `POST ${path}`) as T;
}

/** Absence, and another object of the same name, are success. */
export async function deleteObject(
  transport: Transport,
  path: string,
  { uid, ...options }: Deletion,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify({ preconditions: { uid }, ...options });
  try {
    await unlessNotFound(transport.read({ method: "DELETE", path, body }, signal));
  } catch (error) {
    if (!(error instanceof ClusterError && error.code === "conflict")) throw error;
    const current = await readObject(transport, path, signal);
    if (current?.metadata.uid === uid) throw error;
  }
}

function asObject(answer: unknown, what: string): KubernetesObject {
  if (!isKubernetesObject(answer)) throw new ClusterError("server_error", `${what}: the answer is not an object`);
  return withoutManagedFields(answer);
}

async function unlessNotFound<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ClusterError && error.code === "not_found") return null;
    throw error;
  }
}
