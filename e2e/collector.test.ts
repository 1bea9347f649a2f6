import type { Run } from "@tailrace/client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { startRun } from "./support/runs.ts";
import type { ServerProcess } from "./support/server.ts";
import { SteeredRunners } from "./support/steered.ts";
import { fencesOf, storedLines, untilStored } from "./support/stored.ts";
import { until } from "./support/until.ts";
import { expectWhole } from "./support/whole.ts";
import { openWorld, type World } from "./support/world.ts";

/** The same from the nodes' own files and from `pods/log`. */
describe.each(["auto", "off"] as const)("a run's logs with TAILRACE_NODE_LOGS=%s", { timeout: 90_000 }, (nodeLogs) => {
  const runners = new SteeredRunners({ runners: 2 });
  const parts = new AsyncDisposableStack();
  let world: World;
  let server: ServerProcess;

  beforeAll(async () => {
    const env = { TAILRACE_NODE_LOGS: nodeLogs, TAILRACE_LEASE: "3s" };
    world = parts.use(await openWorld({ sandbox: { programs: [runners.program] }, env }));
    server = await world.serve();
  }, 60_000);

  beforeEach(() => runners.reset());

  afterAll(() => parts.disposeAsync(), 60_000);

  const start = (): Promise<Run> => startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });

  /** Lets the run end, which must be whole then. */
  async function endWhole(run: Run): Promise<void> {
    runners.finish();
    await expectWhole(server, run, runners.target);
  }

  /** Waits until more lines of every runner are stored than there are now. */
  async function untilMoreIsStored(run: Run): Promise<void> {
    const before = await storedLines(world.database, run);
    await until("more stored lines of both runners", async () => {
      const now = await storedLines(world.database, run);
      return now.length === 2 && now.every((seq, index) => seq > (before[index] ?? 0));
    });
  }

  test("are whole, sealed and verified", async () => {
    const run = await start();
    await runners.print(20_000);
    await endWhole(run);
    const { items } = await server.client.logs.streams.query({ teamId: "demo", runId: run.id });
    expect(items.map(({ role }) => role)).toEqual(["initializer", "starter", "runner", "runner"]);
    for (const stream of items)
      expect(stream).toMatchObject({ sealed: true, verified: "full", source: nodeLogs === "auto" ? "node" : "api" });
  });

  test("are whole when the server is killed twice in the middle", async () => {
    const run = await start();
    await runners.print(5000);
    runners.keepPrinting(100);
    for (let kill = 0; kill < 2; kill += 1) {
      await untilMoreIsStored(run);
      await server.sigkill();
      server = await world.serve();
    }
    await untilMoreIsStored(run);
    await endWhole(run);
  });

  test("are whole when connections to the cluster are cut again and again", async () => {
    const run = await start();
    const cutting = setInterval(() => world.there.sandbox.faults.cutConnections(), 150);
    try {
      for (let lines = 1000; lines <= 20_000; lines += 1000) {
        await runners.print(lines);
        await untilStored(world.database, run, lines);
      }
    } finally {
      clearInterval(cutting);
    }
    await endWhole(run);
  });

  test("are whole when another server takes the lease away in the middle", async () => {
    await using _ = await world.serve();
    const run = await start();
    await runners.print(1000);
    runners.keepPrinting(100);
    for (let steal = 0; steal < 3; steal += 1) {
      await untilMoreIsStored(run);
      const [before] = await fencesOf(world.database, run);
      await world.database.query(
        "update test_run_steps set lease_holder = null, lease_expires_at = null where run_id = $1",
        [run.id],
      );
      await until("another fencing number", async () => (await fencesOf(world.database, run))[0] !== before, 10_000);
    }
    await endWhole(run);
  });
});
