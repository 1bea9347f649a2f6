import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { checkNumbered } from "./support/numbered.ts";
import { startRun } from "./support/runs.ts";
import type { ServerProcess } from "./support/server.ts";
import { SteeredRunners } from "./support/steered.ts";
import { untilStored } from "./support/stored.ts";
import { runnerPods } from "./support/test-runs.ts";
import { until } from "./support/until.ts";
import { untilEnd } from "./support/whole.ts";
import { openWorld, type World } from "./support/world.ts";

/** Up to which line is lost what was rotated away. */
const SOURCES = [
  // The rotated file that is left is read to its end.
  { nodeLogs: "auto", behind: 1000 },
  // The log API shows the current file alone.
  { nodeLogs: "off", behind: 1500 },
] as const;

describe.each(SOURCES)("with TAILRACE_NODE_LOGS=$nodeLogs", { timeout: 90_000 }, ({ nodeLogs, behind }) => {
  const runners = new SteeredRunners({ runners: 2 });
  const parts = new AsyncDisposableStack();
  let world: World;
  let server: ServerProcess;

  beforeAll(async () => {
    const sandbox = { programs: [runners.program], logMaxFiles: 2, logMaxBytes: -1 };
    world = parts.use(await openWorld({ sandbox, env: { TAILRACE_NODE_LOGS: nodeLogs, TAILRACE_LEASE: "3s" } }));
    server = await world.serve();
  }, 60_000);

  beforeEach(() => runners.reset());

  afterAll(() => parts.disposeAsync(), 60_000);

  async function download(runId: string, query: string): Promise<Response> {
    const base = `${server.url}/api/dashboard/load-testing/teams/demo/test-runs/${runId}/logs/full`;
    const response = await fetch(`${base}?${query}`);
    expect(response.status).toBe(200);
    return response;
  }

  test("lines that were rotated away before they were read are a gap wherever the log is shown", async () => {
    const { faults } = world.there.sandbox;
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(500);
    await untilStored(world.database, run, 500);
    await server.sigkill();
    for (const lines of [1000, 1500]) {
      await runners.print(lines);
      await faults.rotateLogs();
    }
    await runners.print(2000);
    server = await world.serve();
    runners.finish();
    const ended = await untilEnd(server.client, run);
    expect(ended).toMatchObject({ status: "finished", error: null });

    const pods = await runnerPods(world.there, run);
    const report = await checkNumbered(server.url, run.id, 2000);
    expect(report).toMatchObject({ unflagged: 0, doubled: 0, reordered: 0, untrueGaps: [], truncated: [] });
    const gap = { seq: 500, reason: "rotated", certain: false };
    expect(report.holes.toSorted((a, b) => (a.pod < b.pod ? -1 : 1))).toMatchObject(
      pods.map((pod) => ({ pod, from: 500, until: behind, gap: { pod, ...gap, lost: behind - 500 } })),
    );

    const [pod] = pods;
    const words = "lines may be missing here, after ";
    const page = { teamId: "demo", runId: run.id, pods: [pod!], limit: 1000 };
    for (const filter of [{}, { include: ["n=499 ", `n=${behind} `] }]) {
      const { items } = await server.client.logs.page.query({ ...page, ...filter });
      const at = items.findIndex(({ kind }) => kind === "gap");
      expect(items[at]).toMatchObject({ ...gap, pod, text: expect.stringContaining(words) });
      expect(items[at - 1]).toMatchObject({ seq: 499, line: expect.stringContaining("n=499 ") });
      expect(items[at + 1]).toMatchObject({ seq: 500, line: expect.stringContaining(`n=${behind} `) });
    }
    const text = await (await download(run.id, `format=text&pod=${pod}`)).text();
    expect(text.split("\n").filter((line) => line.includes(words))).toHaveLength(1);
    const raw = await download(run.id, `format=raw&pod=${pod}&container=k6`);
    expect(raw.headers.get("tailrace-gaps")).toBe("1");
    expect((await raw.text()).split("\n")).toHaveLength(500 + 2000 - behind + 1);
  });

  test("a container whose pod is removed before it was read is sealed as truncated, and says why", async () => {
    const { faults, namespace } = world.there.sandbox;
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(500);
    await untilStored(world.database, run, 500);
    const allow = [
      faults.deny({ verb: "get", resource: "nodes", subresource: "log" }),
      faults.deny({ resource: "pods", subresource: "log" }),
    ];
    faults.cutConnections();
    await runners.print(1000);
    const [removed, kept] = await runnerPods(world.there, run);
    await world.there.core.deleteNamespacedPod({ namespace, name: removed! });
    await until("the end of the pod", async () => !(await runnerPods(world.there, run)).includes(removed!));
    for (const lift of allow) lift();
    runners.finish();
    await untilEnd(server.client, run);

    const report = await checkNumbered(server.url, run.id, 1000);
    expect(report).toMatchObject({ streams: 2, lines: 1500, doubled: 0, reordered: 0 });
    expect(report.holes).toMatchObject([{ pod: removed, from: 500, until: 1000 }]);
    expect(report.truncated).toEqual([expect.stringMatching(new RegExp(`^${removed}: .*(deleted|not found)`))]);

    const { items } = await server.client.logs.streams.query({ teamId: "demo", runId: run.id });
    expect(items.find(({ pod }) => pod === removed)).toMatchObject({
      sealed: true,
      verified: null,
      truncated: expect.any(String),
    });
    expect(items.find(({ pod }) => pod === kept)).toMatchObject({ sealed: true, verified: "full", truncated: null });
    const page = await server.client.logs.page.query({
      teamId: "demo",
      runId: run.id,
      pods: [removed!],
      limit: 1000,
    });
    expect(page.items.at(-1)).toMatchObject({ kind: "truncated", seq: 500, reason: expect.any(String) });
    const text = await (await download(run.id, `format=text&pod=${removed}`)).text();
    expect(text).toContain(`=== Container: ${removed} (ERROR) ===`);
    const raw = await download(run.id, `format=raw&pod=${removed}&container=k6`);
    expect(raw.headers.get("tailrace-truncated")).not.toBeNull();
  });
});
