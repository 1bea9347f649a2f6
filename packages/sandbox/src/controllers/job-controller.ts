import { collectDependents } from "../store/gc.ts";
import type { ObjectStore } from "../store/store.ts";
import { now } from "../store/time.ts";
import { podOfJob } from "./job-pod.ts";
import { nextJobStep } from "./job-step.ts";
import { WorkQueue } from "./work-queue.ts";

/**
 * The parts of kube-controller-manager that matter here: Jobs get their pod and their status, and what loses its owner is
 * deleted.
 *
 * @param podSyncMs - from a pod's change to its Job's; the Job controller gathers changes for a second
 * @returns the end of it
 */
export function startControllers(
  store: ObjectStore,
  podSyncMs: number,
  failed: (key: string, error: unknown) => void,
): () => void {
  const jobs = new WorkQueue((key) => {
    if (syncJob(store, key)) jobs.add(key);
  }, failed);
  const orphans = new WorkQueue((uid) => collectDependents(store, uid), failed);
  const stops = [
    store.watch("jobs", store.resourceVersion, ({ type, object }) => {
      if (type === "DELETED") orphans.add(object.metadata.uid);
      else jobs.add(`${object.metadata.namespace}/${object.metadata.name}`);
    }),
    store.watch("pods", store.resourceVersion, ({ object }) => {
      const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === "Job");
      if (owner !== undefined) jobs.addLater(`${object.metadata.namespace}/${owner.name}`, podSyncMs);
    }),
    store.watch("testruns", store.resourceVersion, ({ type, object }) => {
      if (type === "DELETED") orphans.add(object.metadata.uid);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    jobs.close();
    orphans.close();
  };
}

/** One step. @returns whether to look again at once */
function syncJob(store: ObjectStore, key: string): boolean {
  const [namespace, name] = key.split("/") as [string, string];
  const job = store.get("jobs", namespace, name);
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return false;
  const step = nextJobStep(job, store.ownedBy("pods", job.metadata.uid)[0], now());
  if (step.do === "create-pod") store.create("pods", podOfJob(job));
  else if (step.do === "set-status")
    store.update("jobs", namespace, name, (draft) => void (draft.status = step.status));
  else if (step.do === "release-pod")
    store.update("pods", namespace, step.pod, ({ metadata }) => void delete metadata.finalizers);
  return step.do !== "nothing";
}
