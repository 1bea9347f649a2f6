import { WorkQueue } from "../controllers/work-queue.ts";
import { deleteObject } from "../store/delete.ts";
import type { Pod, TestRun, TestRunCondition } from "../store/kinds.ts";
import type { StoredObject } from "../store/objects.ts";
import type { ObjectStore } from "../store/store.ts";
import { now } from "../store/time.ts";
import { parseArguments, type ParsedArguments } from "./arguments.ts";
import { initialConditions, withCondition } from "./conditions.ts";
import { withSelector } from "../controllers/job-pod.ts";
import { initializerJob, runnerJob, runnerService, starterJob } from "./objects.ts";
import { nextStep, type OperatorStep, type OperatorView } from "./reconcile.ts";

export interface OperatorDependencies {
  store: ObjectStore;
  /** The whole log of a container that has ended. */
  readLog: (pod: Pod, container: string) => Promise<string>;
  failed: (key: string, error: unknown) => void;
}

/** k6-operator: one TestRun at a time, a step after the other. */
export class Operator {
  readonly #store: ObjectStore;
  readonly #readLog: OperatorDependencies["readLog"];
  readonly #queue: WorkQueue;
  readonly #stops: (() => void)[];
  #present = true;
  #addresses = 0;

  constructor({ store, readLog, failed }: OperatorDependencies) {
    this.#store = store;
    this.#readLog = readLog;
    this.#queue = new WorkQueue((key) => this.#reconcile(key), failed);
    const since = store.resourceVersion;
    this.#stops = [
      store.watch("testruns", since, ({ type, object }) => {
        if (type !== "DELETED") this.#add(object.metadata.namespace, object.metadata.name);
      }),
      store.watch("jobs", since, ({ object }) => this.#addOwner(object)),
      store.watch("pods", since, ({ object }) => this.#addOwner(object)),
    ];
  }

  /** An absent operator does nothing; when it comes back it goes on from the stage that it finds. */
  setPresent(present: boolean): void {
    this.#present = present;
    if (present) for (const { metadata } of this.#store.list("testruns")) this.#add(metadata.namespace, metadata.name);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#queue.close();
  }

  #add(namespace: string, name: string): void {
    this.#queue.add(`${namespace}/${name}`);
  }

  #addOwner(object: StoredObject): void {
    const testRun = object.metadata.labels?.k6_cr;
    if (testRun !== undefined) this.#add(object.metadata.namespace, testRun);
  }

  async #reconcile(key: string): Promise<void> {
    const [namespace, name] = key.split("/") as [string, string];
    while (this.#present) {
      const testRun = this.#store.get("testruns", namespace, name);
      if (testRun === undefined) return;
      const step = nextStep(await this.#view(testRun));
      if (step.do === "wait" || this.#store.get("testruns", namespace, name) !== testRun) return;
      this.#apply(testRun, step);
    }
  }

  async #view(testRun: TestRun): Promise<OperatorView> {
    const { uid, namespace, name } = testRun.metadata;
    const own = this.#store.ownedBy("jobs", uid);
    const named = [`${name}-initializer`, ...runnerNames(testRun)].map((job) =>
      this.#store.get("jobs", namespace, job),
    );
    const jobs = new Map([...own, ...named.filter((job) => job !== undefined)].map((job) => [job.metadata.name, job]));
    const pods = own.flatMap((job) => this.#store.ownedBy("pods", job.metadata.uid));
    const initializer = pods.find((pod) => pod.metadata.labels?.["job-name"] === `${name}-initializer`);
    const needsLog = testRun.status?.stage === "initialization" && initializer?.status.phase === "Succeeded";
    return { testRun, jobs, pods, initializerLog: needsLog ? await this.#readLog(initializer, "k6") : undefined };
  }

  #apply(testRun: TestRun, step: OperatorStep): void {
    switch (step.do) {
      case "set-conditions":
        return this.#setStatus(testRun, { conditions: initialConditions(now()) });
      case "refuse-arguments":
        return this.#setStatus(testRun, { stage: "error" });
      case "set-stage": {
        const conditions = conditionsOf(testRun);
        const ended =
          step.stage === "stopped" ? { conditions: withCondition(conditions, "TestRunRunning", "False", now()) } : {};
        return this.#setStatus(testRun, { ...ended, stage: step.stage });
      }
      case "not-a-cloud-test":
        return this.#setStatus(testRun, {
          conditions: withCondition(conditionsOf(testRun), "CloudTestRun", "False", now()),
        });
      case "create-initializer":
        return void this.#store.create("jobs", withSelector(initializerJob(testRun, argumentsOf(testRun))));
      case "create-runners":
        return this.#createRunners(testRun);
      case "start":
        return this.#start(testRun);
      case "delete":
        return void deleteObject(this.#store, "testruns", testRun.metadata.namespace, testRun.metadata.name, {});
      case "wait":
    }
  }

  #setStatus({ metadata }: TestRun, change: TestRun["status"] & object): void {
    this.#store.update("testruns", metadata.namespace, metadata.name, (draft) => {
      draft.status = { ...draft.status, ...change };
    });
  }

  #createRunners(testRun: TestRun): void {
    for (let index = 1; index <= testRun.spec.parallelism; index++) {
      this.#store.create("jobs", withSelector(runnerJob(testRun, index, argumentsOf(testRun))));
      this.#store.create("services", runnerService(testRun, index, this.#nextAddress()));
    }
    this.#setStatus(testRun, { stage: "created" });
  }

  #start(testRun: TestRun): void {
    const services = this.#store.ownedBy("services", testRun.metadata.uid);
    const addresses = services.map(({ spec }) => spec.clusterIP);
    this.#store.create("jobs", withSelector(starterJob(testRun, addresses)));
    const conditions = withCondition(conditionsOf(testRun), "TestRunRunning", "True", now());
    this.#setStatus(testRun, { conditions, stage: "started" });
  }

  #nextAddress(): string {
    const at = ++this.#addresses;
    return `10.96.${(at >> 8) & 255}.${at & 255}`;
  }
}

function runnerNames({ metadata, spec }: TestRun): string[] {
  return Array.from({ length: Math.max(0, spec.parallelism) }, (_, at) => `${metadata.name}-${at + 1}`);
}

function conditionsOf({ status }: TestRun): TestRunCondition[] {
  return status?.conditions ?? [];
}

/** Only for TestRuns whose arguments were accepted. */
function argumentsOf({ spec }: TestRun): ParsedArguments {
  return parseArguments(spec.arguments) ?? { run: [], archive: "" };
}
