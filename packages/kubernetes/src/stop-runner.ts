import { ClusterError, type PodObject } from "@tailrace/core";
import { Deadline } from "./deadline.ts";
import { readObject } from "./objects.ts";
import { resourcePath } from "./paths.ts";
import type { Transport } from "./transport.ts";

/** The operator starts k6 with `--address=0.0.0.0:6565` (k6-operator, pkg/resources/jobs/runner.go). */
const REST_PORT = 6565;

/** k6, api/v1/status.go. */
const STOP = JSON.stringify({ data: { type: "status", id: "default", attributes: { stopped: true } } });

/** k6 answers at once; a connection to the address of a pod that has ended may hang for much longer. */
const PATCH_TIMEOUT_MS = 10_000;

/**
 * Tells the k6 of a runner pod to stop. A runner that can't be running any more counts as stopped; it is not even
 * asked, since its address may belong to another pod by now.
 *
 * Between the end of k6 and the pod's status saying so (about 2 s) the proxy's `server_error` is passed on.
 */
export async function stopRunner(
  transport: Transport,
  namespace: string,
  pod: string,
  signal: AbortSignal,
): Promise<void> {
  const podPath = resourcePath("pods", namespace, pod);
  if (hasEnded(await readObject<PodObject>(transport, podPath, signal))) return;
  const path = `${podPath}:${REST_PORT}/proxy/v1/status`;
  using deadline = new Deadline(signal);
  deadline.set(PATCH_TIMEOUT_MS, new ClusterError("timeout", `PATCH ${path}: no answer in ${PATCH_TIMEOUT_MS} ms`));
  try {
    await transport.read({ method: "PATCH", path, body: STOP }, deadline.signal);
  } catch (error) {
    if (!hasEnded(await readObject<PodObject>(transport, podPath, signal))) throw error;
  }
}

/** True when no k6 can be running in it: it is gone, or each of its containers has ended. */
export function hasEnded(pod: PodObject | null): boolean {
  if (pod === null) return true;
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed") return true;
  const statuses = pod.status?.containerStatuses ?? [];
  return statuses.length > 0 && statuses.every((status) => status.state?.terminated !== undefined);
}
