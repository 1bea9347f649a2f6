import type { JobObject, Observation, PodObject, TestRunObject } from "@tailrace/core";
import type { KubernetesObject } from "../list.ts";
import type { ObjectEvent } from "./event.ts";
import { ObjectIndex } from "./object-index.ts";

export interface WatchedKinds {
  testruns: TestRunObject;
  jobs: JobObject;
  pods: PodObject;
}

export type WatchedKind = keyof WatchedKinds;

/** What must outlive the objects themselves: garbage collection takes the TestRun first, then its Jobs, then their Pods. */
interface Lineage {
  testRunUid: string | null;
  /** The owners of each Job seen under this name, by the Job's UID. */
  jobOwners: Map<string, string[]>;
}

/** TestRuns, Jobs and Pods of one namespace as three lists and watches tell of them, in whatever order they do. */
export class ClusterStore {
  readonly #testruns = new ObjectIndex<TestRunObject>((testRun) => testRun.metadata.name);
  readonly #jobs = new ObjectIndex<JobObject>(testRunLabel);
  readonly #pods = new ObjectIndex<PodObject>(testRunLabel);
  readonly #lineages = new Map<string, Lineage>();

  /** @returns the names of the TestRuns concerned */
  replace<K extends WatchedKind>(kind: K, items: readonly WatchedKinds[K][]): Set<string> {
    return this.#noted(this.#index(kind).replace(items));
  }

  /** @returns the names of the TestRuns concerned */
  apply<K extends WatchedKind>(kind: K, event: ObjectEvent<WatchedKinds[K]>): Set<string> {
    return this.#noted(this.#index(kind).apply(event));
  }

  /**
   * The TestRun of this name, the Jobs that it owns and the Pods that those own. Once it is gone, its last known UID
   * decides; if that was never known, everything of its name is shown.
   */
  observe(name: string): Observation {
    const testRun = this.#testruns.named(name).at(-1) ?? null;
    const jobs = this.#jobs.named(name);
    const pods = this.#pods.named(name);
    const lineage = this.#lineages.get(name);
    const uid = lineage?.testRunUid ?? null;
    if (lineage === undefined || uid === null) return { testRun, jobs, pods };
    return {
      testRun,
      jobs: jobs.filter((job) => ownersOf(job).includes(uid)),
      pods: pods.filter((pod) => ownersOf(pod).some((owner) => lineage.jobOwners.get(owner)?.includes(uid))),
    };
  }

  /** How many names something is remembered of. */
  get names(): number {
    return this.#lineages.size;
  }

  #index<K extends WatchedKind>(kind: K): ObjectIndex<WatchedKinds[K]>;
  #index(kind: WatchedKind): ObjectIndex<TestRunObject> | ObjectIndex<JobObject> | ObjectIndex<PodObject> {
    return { testruns: this.#testruns, jobs: this.#jobs, pods: this.#pods }[kind];
  }

  #noted(names: Set<string>): Set<string> {
    for (const name of names) this.#remember(name);
    return names;
  }

  #remember(name: string): void {
    const testRun = this.#testruns.named(name).at(-1);
    const jobs = this.#jobs.named(name);
    if (testRun === undefined && jobs.length === 0 && this.#pods.named(name).length === 0) {
      this.#lineages.delete(name);
      return;
    }
    const lineage = this.#lineages.get(name) ?? { testRunUid: null, jobOwners: new Map<string, string[]>() };
    this.#lineages.set(name, lineage);
    if (testRun !== undefined) lineage.testRunUid = testRun.metadata.uid;
    for (const job of jobs) lineage.jobOwners.set(job.metadata.uid, ownersOf(job));
  }
}

function testRunLabel(object: KubernetesObject): string | undefined {
  return object.metadata.labels?.["k6_cr"];
}

function ownersOf(object: KubernetesObject): string[] {
  return (object.metadata.ownerReferences ?? []).map((owner) => owner.uid);
}
