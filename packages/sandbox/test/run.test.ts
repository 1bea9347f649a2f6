import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  configMap,
  CORE,
  IMAGE,
  JOBS,
  logOf,
  openSandbox,
  podsOf,
  reached,
  testRun,
  TESTRUNS,
  until,
  watch,
  type Json,
  type TestSandbox,
} from "./support.ts";
import { recordedJson } from "./recorded.ts";

const SCRIPT = "export const options = { vus: 4, duration: '2s' };\nexport default function () {}\n";
const STOP = { data: { type: "status", id: "default", attributes: { stopped: true } } };

let there: TestSandbox;
beforeAll(async () => {
  there = await openSandbox({ images: [IMAGE, "ghcr.io/grafana/k6-operator:latest-starter"], imageBackoffMs: 50 });
  await there.send(
    "POST",
    `${CORE}/configmaps`,
    configMap("script", {
      "script.js": SCRIPT,
      "bad.js": "export default function ( {",
      "one.js": "export default function () {}",
      "long.js": SCRIPT.replace("2s", "30m"),
    }),
  );
});
afterAll(async () => {
  expect(there.problems).toEqual([]);
  await there[Symbol.asyncDispose]();
});

const start = (name: string, spec: Json = {}, metadata: Json = {}): Promise<Json> =>
  there.send("POST", TESTRUNS, testRun(name, spec, metadata));
const file = (name: string): Json => ({ script: { configMap: { name: "script", file: name } } });
const container = (pod: Json): Json => pod.status.containerStatuses[0].state;
const podOf = async (run: string, job: string): Promise<Json> => (await podsOf(there, run, `,job-name%3D${job}`))[0]!;

test("a run goes through the recorded stages and conditions, and leaves what the recorded ones leave", async () => {
  const since = (await there.send("GET", TESTRUNS)).body.metadata.resourceVersion as string;
  const seen = await watch(there, TESTRUNS, `fieldSelector=metadata.name%3Dwhole&resourceVersion=${since}`);
  await start("whole", { parallelism: 2 });
  await reached(there, "whole", "finished");
  seen.stop();
  const told = seen.events.map(({ type, object: { status } }) => ({
    type,
    status:
      status === undefined
        ? null
        : {
            stage: status.stage ?? null,
            conditions: ((status.conditions ?? []) as Json[]).map((each) => [each.type, each.status, each.reason]),
          },
  }));
  expect(told).toEqual(recordedJson("testrun-events.json")["pass-1"]);

  const pods = await podsOf(there, "whole");
  expect(pods.map(({ metadata }) => metadata.labels["job-name"])).toEqual([
    "whole-1",
    "whole-2",
    "whole-initializer",
    "whole-starter",
  ]);
  const jobs = (await there.send("GET", JOBS)).body.items as Json[];
  for (const pod of pods) {
    const job = jobs.find(({ metadata }) => metadata.uid === pod.metadata.ownerReferences[0].uid)!;
    expect(job.metadata.ownerReferences[0]).toMatchObject({ kind: "TestRun", name: "whole", controller: true });
    expect(pod.metadata.labels["controller-uid"]).toBe(job.metadata.uid);
    expect(container(pod).terminated).toMatchObject({
      exitCode: 0,
      reason: "Completed",
      containerID: expect.stringMatching(/^containerd:\/\/[0-9a-f]{64}$/),
    });
  }
  await until("all jobs' ends", async () =>
    ((await there.send("GET", `${JOBS}?labelSelector=k6_cr%3Dwhole`)).body.items as Json[]).every(
      ({ status }) => status.succeeded === 1,
    ),
  );
});

test("every container says first that it replays, and the initializer's log stays JSON", async () => {
  await start("labelled", { parallelism: 2 });
  await reached(there, "labelled", "finished");
  const report = JSON.parse(await logOf(there, (await podOf("labelled", "labelled-initializer")).metadata.name));
  expect(report).toMatchObject({
    sandbox: expect.stringContaining("replay of a recorded run"),
    totalDuration: "32s",
    maxVUs: 4,
  });
  for (const index of [1, 2]) {
    const log = await logOf(there, (await podOf("labelled", `labelled-${index}`)).metadata.name);
    expect(log.split("\n")[0]).toMatch(
      new RegExp(
        `^time="[^"]+" level=warning msg="sandbox: k6 is not installed on this machine; .*: labelled, runner ${index}, 2 VUs"$`,
      ),
    );
    expect(log).toContain("iterations.....................: 4 ");
  }
  const starter = await logOf(there, (await podOf("labelled", "labelled-starter")).metadata.name);
  expect(
    Array.from(starter.matchAll(/^\{"http_code":200,.*?"url":"http:\/\/[0-9.]+:6565\/v1\/status"/gm)),
  ).toHaveLength(2);
});

test("a pod gets node, node's address and own address one after the other, as in the recorded events", async () => {
  const since = (await there.send("GET", `${CORE}/pods`)).body.metadata.resourceVersion as string;
  const seen = await watch(there, `${CORE}/pods`, `resourceVersion=${since}`);
  await start("addressed");
  await reached(there, "addressed", "finished");
  seen.stop();
  const initializer = seen.events.filter(({ object }) => object.metadata.name.startsWith("addressed-initializer-"));
  const known = initializer.map(({ object: { spec, status } }) =>
    [spec.nodeName, status.hostIP, status.hostIPs?.[0].ip, status.podIP && "pod", status.podIPs && "pod"].join(" "),
  );
  expect(Array.from(new Set(known))).toEqual([
    "    ",
    "sandbox-node    ",
    "sandbox-node 127.0.0.1 127.0.0.1  ",
    "sandbox-node 127.0.0.1 127.0.0.1 pod pod",
  ]);
});

describe("a run that can't start", () => {
  test.each([
    ["bad arguments", "invalid", { arguments: "this is-invalid" }, "invalid-arguments"],
    ["fewer VUs than runners", "few-vus", { parallelism: 2, ...file("one.js") }, "maxvus-below-parallelism"],
    ["a script that can't be parsed", "syntax", file("bad.js"), "script-exception-init"],
  ])("%s: error, as recorded", async (_, name, spec, recording) => {
    const since = (await there.send("GET", TESTRUNS)).body.metadata.resourceVersion as string;
    const seen = await watch(there, TESTRUNS, `fieldSelector=metadata.name%3D${name}&resourceVersion=${since}`);
    await start(name, spec);
    await reached(there, name, "error");
    seen.stop();
    const stages = (events: Json[]): unknown[] => events.map(({ status }) => status?.stage ?? null);
    expect(stages(seen.events.map(({ object }) => object))).toEqual(
      stages(recordedJson("testrun-events.json")[recording]),
    );
  });

  test("the reason is in the initializer's log alone", async () => {
    const pod = await podOf("syntax", "syntax-initializer");
    expect([pod.status.phase, container(pod).terminated.exitCode]).toEqual(["Failed", 1]);
    expect(await logOf(there, pod.metadata.name)).toMatch(
      /level=error msg="sandbox: .*SyntaxError: file:\/\/\/test\/bad\.js: /,
    );
    expect(await podsOf(there, "invalid")).toEqual([]);
  });

  test("an unknown image keeps it in created, its reasons alternating", async () => {
    await start("no-image", { parallelism: 1, runner: { image: "grafana/k6:0.0.0-missing" } });
    await reached(there, "no-image", "created");
    const reasons = new Set<string>();
    await until("both reasons", async () => {
      const reason = (await podOf("no-image", "no-image-1"))?.status.containerStatuses?.[0].state.waiting?.reason as
        | string
        | undefined;
      if (reason !== undefined) reasons.add(reason);
      return reasons.has("ErrImagePull") && reasons.has("ImagePullBackOff");
    });
    expect((await there.send("GET", `${TESTRUNS}/no-image`)).body.status.stage).toBe("created");
  });

  test("a request that no node meets leaves its pod unscheduled", async () => {
    await start("huge", { runner: { image: IMAGE, resources: { requests: { cpu: "2000" } } } });
    await reached(there, "huge", "created");
    const pod = await until("the condition", async () => {
      const found = await podOf("huge", "huge-1");
      return found?.status.conditions && found;
    });
    expect(pod.status.conditions).toMatchObject([
      {
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message: expect.stringContaining("0/1 nodes are available: 1 Insufficient cpu."),
      },
    ]);
    expect((await there.send("GET", `${CORE}/pods/${pod.metadata.name}/log`)).status).toBe(204);
  });

  test("without a ConfigMap the initializer is created for ever, and goes when the TestRun goes", async () => {
    await start("no-script", { script: { configMap: { name: "nothing" } } });
    const pod = await until("the pod", async () => {
      const found = await podOf("no-script", "no-script-initializer");
      return found?.status.containerStatuses?.[0].state.waiting?.reason === "ContainerCreating" && found;
    });
    expect((await there.send("GET", `${CORE}/pods/${pod.metadata.name}/log`)).body.message).toBe(
      `container "k6" in pod "${pod.metadata.name}" is waiting to start: ContainerCreating`,
    );
    await there.send("DELETE", `${TESTRUNS}/no-script`);
    await until("no pods", async () => (await podsOf(there, "no-script")).length === 0);
  });

  test("without its operator it waits, and goes on when the operator is back", async () => {
    there.sandbox.faults.setOperator(false);
    await start("waiting");
    expect((await there.send("GET", `${TESTRUNS}/waiting`)).body.status).toBeUndefined();
    there.sandbox.faults.setOperator(true);
    await reached(there, "waiting", "finished");
  });
});

describe("a run that is ended from outside", () => {
  const started = async (name: string, spec: Json = {}, metadata: Json = {}): Promise<Json[]> => {
    await start(name, { parallelism: 2, ...file("long.js"), ...spec }, metadata);
    await reached(there, name, "started");
    return await until("running runners", async () => {
      const runners = await podsOf(there, name, ",runner");
      const states = await Promise.all(
        runners.map(({ metadata: { name: pod } }) => there.send("GET", `${CORE}/pods/${pod}:6565/proxy/v1/status`)),
      );
      return states.every(({ body }) => body.data?.attributes.running === true) && runners;
    });
  };

  test("a stop through the proxy ends the runners with 103", async () => {
    const pods = await started("stopped");
    for (const { metadata } of pods) {
      const { status, body } = await there.send("PATCH", `${CORE}/pods/${metadata.name}:6565/proxy/v1/status`, STOP);
      expect([status, body.data.attributes.stopped]).toEqual([200, true]);
    }
    await reached(there, "stopped", "finished");
    for (const pod of await podsOf(there, "stopped", ",runner")) {
      expect(container(pod).terminated).toMatchObject({ exitCode: 103, reason: "Error" });
      expect(await logOf(there, pod.metadata.name)).toContain(`level=error msg="test run stopped from REST API"`);
      const after = await there.send("GET", `${CORE}/pods/${pod.metadata.name}:6565/proxy/v1/status`);
      expect(after.body).toMatchObject({
        code: 503,
        reason: "ServiceUnavailable",
        message: expect.stringContaining("error trying to reach service: "),
      });
    }
    expect((await there.send("GET", `${CORE}/pods/nope:6565/proxy/v1/status`)).status).toBe(404);
  });

  test("a deleted runner pod is not replaced, its code is seen once, the others go on", async () => {
    const [first, second] = (await started("one-gone", {})) as [Json, Json];
    const seen = await watch(there, `${CORE}/pods`, `fieldSelector=metadata.name%3D${second.metadata.name}`);
    await there.send("DELETE", `${CORE}/pods/${second.metadata.name}`);
    await until("its end", () => seen.events.some(({ type }) => type === "DELETED"));
    seen.stop();
    expect(container(seen.events.at(-1)!.object).terminated.exitCode).toBe(105);
    const job = await until("the failed job", async () => {
      const { body } = await there.send("GET", `${JOBS}/one-gone-2`);
      return body.status.failed === 1 && body;
    });
    expect(job.status.conditions.map(({ type }: Json) => type)).toEqual(["FailureTarget", "Failed"]);
    expect((await there.send("GET", `${TESTRUNS}/one-gone`)).body.status.stage).toBe("started");
    await there.send("PATCH", `${CORE}/pods/${first.metadata.name}:6565/proxy/v1/status`, STOP);
    await reached(there, "one-gone", "finished");
    expect(await podsOf(there, "one-gone", ",runner")).toHaveLength(1);
  });

  test("a deleted TestRun takes everything with it, and its last event says started", async () => {
    await started("removed");
    const seen = await watch(there, TESTRUNS, "fieldSelector=metadata.name%3Dremoved");
    await there.send("DELETE", `${TESTRUNS}/removed`, { propagationPolicy: "Background" });
    await until("no pods, jobs and services", async () => {
      const left = await Promise.all(
        [`${CORE}/pods`, `${CORE}/services`, JOBS].map((path) =>
          there.send("GET", `${path}?labelSelector=k6_cr%3Dremoved`),
        ),
      );
      return left.every(({ body }) => body.items.length === 0);
    });
    seen.stop();
    expect(seen.events.at(-1)).toMatchObject({ type: "DELETED", object: { status: { stage: "started" } } });
  });

  test("a finalizer holds it until it is taken off, and the run goes on meanwhile", async () => {
    await start("held", {}, { finalizers: ["tailrace.dev/logs"] });
    await reached(there, "held", "started");
    await there.send("DELETE", `${TESTRUNS}/held`);
    const ended = await reached(there, "held", "finished");
    expect(ended.metadata.deletionTimestamp).toBeDefined();
    expect(await logOf(there, (await podOf("held", "held-1")).metadata.name)).toContain("TOTAL RESULTS");
    await there.send("PATCH", `${TESTRUNS}/held`, { metadata: { finalizers: null } });
    await until("no pods", async () => (await podsOf(there, "held")).length === 0);
  });

  test("cleanup: post leaves nothing", async () => {
    await start("cleaned", { cleanup: "post" });
    await until("its end", async () => (await there.send("GET", `${TESTRUNS}/cleaned`)).status === 404);
    await until("no pods", async () => (await podsOf(there, "cleaned")).length === 0);
  });
});
