import type { V1Pod } from "@kubernetes/client-node";
import type { Run } from "@tailrace/client";
import type { Program } from "@tailrace/sandbox";
import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { readMetric } from "./support/metrics.ts";
import { startRun } from "./support/runs.ts";
import { openSandbox } from "./support/sandbox.ts";
import type { ServerProcess } from "./support/server.ts";
import { SteeredRunners } from "./support/steered.ts";
import { untilStored } from "./support/stored.ts";
import { runnerPods } from "./support/test-runs.ts";
import { until } from "./support/until.ts";
import { expectWhole } from "./support/whole.ts";
import { openWorld, type World } from "./support/world.ts";

const NODE_LOGS = { verb: "get", resource: "nodes", subresource: "log" };
const POD_LOGS = { resource: "pods", subresource: "log" };

async function sourcesOf({ client }: ServerProcess, run: Run): Promise<string[]> {
  const { items } = await client.logs.streams.query({ teamId: "demo", runId: run.id });
  return items.filter(({ role }) => role === "runner").map(({ source }) => source ?? "none");
}

/** What has ended so far is not read any more. */
async function untilOthersSealed({ client }: ServerProcess, run: Run): Promise<void> {
  await until("the seals of initializer and starter", async () => {
    const { items } = await client.logs.streams.query({ teamId: "demo", runId: run.id });
    const others = items.filter(({ role }) => role !== "runner");
    return others.length === 2 && others.every(({ sealed }) => sealed);
  });
}

/** How many containers are shown as ones whose log can't be read. */
async function errorsShown({ client }: ServerProcess, run: Run): Promise<number> {
  const { steps } = await client.runs.get.query({ teamId: "demo", runId: run.id });
  return (steps[0]!.containerLogs ?? "").split(" (ERROR) ===").length - 1;
}

/** How often `pods/log` did not go on where it had stopped. */
async function gapsFound(server: ServerProcess): Promise<number> {
  const reopens = await readMetric(server, "tailrace_log_reopens_total");
  return reopens.get('source="api",reason="gap"') ?? 0;
}

describe("a source that goes away in the middle", { timeout: 120_000 }, () => {
  const runners = new SteeredRunners({ runners: 2 });
  const parts = new AsyncDisposableStack();
  let world: World;
  let server: ServerProcess;

  beforeAll(async () => {
    world = parts.use(await openWorld({ sandbox: { programs: [runners.program] } }));
    server = await world.serve();
  }, 60_000);

  beforeEach(() => runners.reset());

  afterAll(() => parts.disposeAsync(), 60_000);

  /** Prints lines and waits until they are stored from this source. */
  async function printFrom(source: string, run: Run, lines: number): Promise<void> {
    await runners.print(lines);
    await untilStored(world.database, run, lines);
    expect(await sourcesOf(server, run)).toEqual([source, source]);
  }

  test("is replaced by the other one, and comes back, without a line lost or doubled", async () => {
    const { faults } = world.there.sandbox;
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await printFrom("node", run, 1000);

    const allowNodeLogs = faults.deny(NODE_LOGS);
    faults.cutConnections();
    await printFrom("api", run, 2000);

    const allowPodLogs = faults.deny(POD_LOGS);
    faults.cutConnections();
    await runners.print(3000);
    await until("a stream that says that it can't be read", async () => (await errorsShown(server, run)) > 0);
    allowNodeLogs();
    await printFrom("node", run, 4000);
    allowPodLogs();
    runners.finish();
    await expectWhole(server, run, 4000);
  });

  test("is asked for what the other one has lost, although it is away for a moment", async () => {
    const { faults } = world.there.sandbox;
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    const allowNodeLogs = faults.deny(NODE_LOGS);
    faults.cutConnections();
    await printFrom("api", run, 1000);

    const allowPodLogs = faults.deny(POD_LOGS);
    faults.cutConnections();
    await runners.print(2000);
    for (const pod of await runnerPods(world.there, run)) await faults.rotateLogs({ pod });
    await runners.print(3000);
    const before = await gapsFound(server);
    allowPodLogs();
    await until("the loss that shows in the log API", async () => (await gapsFound(server)) >= before + 2);
    allowNodeLogs();
    await untilStored(world.database, run, 3000);
    runners.finish();
    await expectWhole(server, run, 3000);
  });

  test("goes on where the other one is away too, and is read by others again", async () => {
    const { faults } = world.there.sandbox;
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await printFrom("node", run, 1000);
    await untilOthersSealed(server, run);

    const allowNodeLogs = faults.deny(NODE_LOGS);
    const allowPodLogs = faults.deny(POD_LOGS);
    faults.cutConnections();
    await until("streams that say that they can't be read", async () => (await errorsShown(server, run)) >= 2);
    allowNodeLogs();
    await printFrom("node", run, 2000);
    await until("streams that say nothing of it any more", async () => (await errorsShown(server, run)) === 0);
    allowPodLogs();
    runners.finish();
    await expectWhole(server, run, 2000);
    const { items } = await server.client.logs.streams.query({ teamId: "demo", runId: run.id });
    expect(items.map(({ source, verified }) => [source, verified])).toEqual(items.map(() => ["node", "full"]));
  });

  test("is waited for where the other one is away too", async () => {
    const { faults } = world.there.sandbox;
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await printFrom("node", run, 1000);

    await faults.stopKubelet();
    const allowNodeLogs = faults.deny(NODE_LOGS);
    await runners.print(2000);
    await until("a stream that says that it can't be read", async () => (await errorsShown(server, run)) > 0);
    await faults.startKubelet();
    await printFrom("api", run, 3000);
    allowNodeLogs();
    runners.finish();
    await expectWhole(server, run, 3000);
  });
});

describe("a kubelet whose certificate is not verified", { timeout: 60_000 }, () => {
  test("gets no request, and so no token; the log API is read in its place", async () => {
    await using other = await openSandbox({ mode: "replay" });
    const runners = new SteeredRunners({ runners: 2 });
    const env = { TAILRACE_KUBELET_CA: other.env.TAILRACE_KUBELET_CA };
    await using world = await openWorld({ sandbox: { programs: [runners.program] }, env });
    const server = await world.serve();
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(1000);
    runners.finish();
    await expectWhole(server, run, 1000);
    expect(await sourcesOf(server, run)).toEqual(["api", "api"]);
    expect(world.requests.filter(({ port }) => port === "kubelet")).toEqual([]);
    expect(server.output()).toMatch(/certificate.*the log files on this node can't be read/);
  });
});

/** Containers that say something and stay until they are asked to end. */
const FOREIGN: Program = {
  matches: ({ metadata }) => metadata.name.startsWith("foreign-"),
  run: async (output, { terminated }) => {
    output.write("stdout", Buffer.from("a word that is not ours to read\n"));
    if (!terminated.aborted) await once(terminated, "abort");
    return 0;
  },
};

/** The same from the nodes' own files and from `pods/log`. */
describe.each(["auto", "off"] as const)("with TAILRACE_NODE_LOGS=%s", { timeout: 60_000 }, (nodeLogs) => {
  test("nothing but the containers of a run's own TestRun is ever read", async () => {
    const runners = new SteeredRunners({ runners: 2 });
    const env = { TAILRACE_NODE_LOGS: nodeLogs };
    await using world = await openWorld({ sandbox: { programs: [FOREIGN, runners.program] }, env });
    const server = await world.serve();
    const { there } = world;
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(100);
    await untilStored(world.database, run, 100);
    const { namespace } = there.sandbox;
    const [runner] = await runnerPods(there, run);
    const model = await there.core.readNamespacedPod({ namespace, name: runner! });
    for (const pod of [alike(model, "foreign-1", false), alike(model, "foreign-2", true)])
      await there.core.createNamespacedPod({ namespace, body: pod });
    await until("foreign pods that run", async () => {
      const { items } = await there.core.listNamespacedPod({ namespace });
      const foreign = items.filter(({ metadata }) => metadata!.name!.startsWith("foreign-"));
      return foreign.length === 2 && foreign.every(({ status }) => status?.phase === "Running");
    });
    await runners.print(1000);
    await untilStored(world.database, run, 1000);
    runners.finish();
    await expectWhole(server, run, 1000);

    const own = (await server.client.logs.streams.query({ teamId: "demo", runId: run.id })).items.map(({ pod }) => pod);
    expect(own).toHaveLength(4);
    const read = new Set(world.requests.map(({ path }) => podOf(namespace, path)).filter((pod) => pod !== null));
    expect([...read].toSorted()).toEqual(own.toSorted());
    expect(world.requests.filter(({ path }) => path.includes("foreign"))).toEqual([]);
  });
});

/** A pod with the labels of another one; `owned`: by a Job of that one's Job's name that is not there. */
function alike({ metadata, spec }: V1Pod, name: string, owned: boolean): V1Pod {
  const [owner] = metadata!.ownerReferences!;
  const { apiVersion, kind, name: job } = owner!;
  const ownerReferences = [{ apiVersion, kind, name: job, uid: "11111111-2222-4333-8444-555555555555" }];
  const { image } = spec!.containers[0]!;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: metadata!.labels!, ...(owned ? { ownerReferences } : {}) },
    spec: { containers: [{ name: "k6", image: image!, command: ["k6", "run", "-"] }], restartPolicy: "Never" },
  };
}

/** Whose log a request is for; null for one that is for none. */
function podOf(namespace: string, path: string): string | null {
  const log = /^\/api\/v1\/namespaces\/[^/]+\/pods\/([^/]+)\/log$/.exec(path);
  if (log !== null) return log[1]!;
  if (!path.startsWith("/logs/")) return null;
  const file = new RegExp(`^/logs/pods/${namespace}_([^/_]+)_[^/]+/`).exec(decodeURIComponent(path));
  return file?.[1] ?? path;
}
