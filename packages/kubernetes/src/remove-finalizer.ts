import { ClusterError, type TestRunObject } from "@tailrace/core";
import { resourcePath } from "./paths.ts";
import { type Attempt, retry } from "./retry.ts";
import type { Transport } from "./transport.ts";

/** Each attempt reads the object anew; only a write in between makes another one necessary. */
const CONFLICTS = { attempts: 5, backoffMs: 50 };

/** Which TestRun, and which of its finalizers. */
export interface FinalizerRemoval {
  name: string;
  uid: string;
  finalizer: string;
}

/**
 * Takes a finalizer off a TestRun. Absence, another UID, or no such finalizer is success; tried again where somebody else
 * has written in between.
 *
 * @throws ClusterError `conflict` where that happens again and again
 */
export async function removeFinalizer(
  transport: Transport,
  namespace: string,
  removal: FinalizerRemoval,
  signal: AbortSignal,
): Promise<void> {
  const path = resourcePath("testruns", namespace, removal.name);
  const conflict = await retry(CONFLICTS, signal, () => attempt(transport, path, removal, signal)).catch(
    (error: unknown) => {
      if (error instanceof ClusterError || !signal.aborted) throw error;
      throw new ClusterError("network", `PATCH ${path}: aborted`, { cause: signal.reason });
    },
  );
  if (conflict !== null) throw conflict;
}

async function attempt(
  transport: Transport,
  path: string,
  { uid, finalizer }: FinalizerRemoval,
  signal: AbortSignal,
): Promise<Attempt<ClusterError | null>> {
  try {
    const { metadata } = (await transport.json({ method: "GET", path }, signal)) as TestRunObject;
    const finalizers = metadata.finalizers ?? [];
    if (metadata.uid !== uid || !finalizers.includes(finalizer)) return { final: true, value: null };
    const rest = finalizers.filter((other) => other !== finalizer);
    const body = JSON.stringify({ metadata: { uid, resourceVersion: metadata.resourceVersion, finalizers: rest } });
    await transport.json({ method: "PATCH", path, body, contentType: "application/merge-patch+json" }, signal);
    return { final: true, value: null };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    if (error.code === "not_found") return { final: true, value: null };
    if (error.code === "conflict") return { final: false, value: error };
    throw error;
  }
}
