import { deleteObject } from "../store/delete.ts";
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
 * @returns the end of it
 */
export function startControllers(store: ObjectStore, failed: (key: string, error: unknown) => void): () => void {
  const jobs = new WorkQueue((key) => syncJob(store, key), failed);
  const orphans = new WorkQueue((uid) => collectDependents(store, uid), failed);
  const stops = [
    store.watch("jobs", store.resourceVersion, ({ type, object }) => {
      if (type === "DELETED") orphans.add(object.metadata.uid);
      else jobs.add(`${object.metadata.namespace}/${object.metadata.name}`);
    }),
    store.watch("pods", store.resourceVersion, ({ object }) => {
      const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === "Job");
      if (owner !== undefined) jobs.add(`${object.metadata.namespace}/${owner.name}`);
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

function syncJob(store: ObjectStore, key: string): void {
  const [namespace, name] = key.split("/") as [string, string];
  for (;;) {
    const job = store.get("jobs", namespace, name);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return;
    const pod = store.ownedBy("pods", job.metadata.uid)[0];
    const step = nextJobStep(job, pod, now());
    if (step.do === "nothing") return;
    if (step.do === "create-pod") store.create("pods", podOfJob(job));
    else if (step.do === "set-status") store.update("jobs", namespace, name, (draft) => void (draft.status = step.status));
    else releasePod(store, namespace, step.pod);
  }
}

/** Without its last finalizer a pod that was deleted goes, if its kubelet has ended it. */
function releasePod(store: ObjectStore, namespace: string, name: string): void {
  const pod = store.update("pods", namespace, name, ({ metadata }) => void delete metadata.finalizers);
  if (pod.metadata.deletionTimestamp !== undefined && store.get("pods", namespace, name) !== undefined) deleteObject(store, "pods", namespace, name, { gracePeriodSeconds: 0 });
}
