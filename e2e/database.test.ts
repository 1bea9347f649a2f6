import type { Run } from "@tailrace/client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTcpProxy } from "../apps/server/test/support/tcp-proxy.ts";
import { SCRIPTS } from "./contract/scripts.ts";
import { sumOf } from "./support/metrics.ts";
import { checkNumbered } from "./support/numbered.ts";
import { startRun } from "./support/runs.ts";
import type { ServerProcess } from "./support/server.ts";
import { noisyLine, SteeredRunners } from "./support/steered.ts";
import { fencesOf, untilStored } from "./support/stored.ts";
import { until } from "./support/until.ts";
import { expectWhole, untilEnd } from "./support/whole.ts";
import { openWorld, type World } from "./support/world.ts";

/** Of two runners about 32 MB, which is more than a server keeps in memory. */
const MUCH = 16_000;

const MIB = 1024 ** 2;

/** Enough to be on the disk when the server is killed. */
const SOME = 4000;

/** Of two runners about 20 MB, which is more than memory and a spool of 2 MiB take. */
const UNREAD = 10_000;

/** Of 2 MiB, what streams may fill that have time. */
const FULL = 0.9 * 2 * MIB;

describe.each(["auto", "off"] as const)(
  "a database that is away, with TAILRACE_NODE_LOGS=%s",
  { timeout: 120_000 },
  (nodeLogs) => {
    const runners = new SteeredRunners({ runners: 2, text: noisyLine });
    const parts = new AsyncDisposableStack();
    let world: World;
    let server: ServerProcess;

    beforeAll(async () => {
      const sandbox = { programs: [runners.program], logMaxBytes: -1, logMaxFiles: 2 };
      const env = { TAILRACE_NODE_LOGS: nodeLogs, TAILRACE_LEASE: "3s" };
      world = parts.use(await openWorld({ sandbox, env }));
      server = await world.serve();
    }, 60_000);

    beforeEach(() => runners.reset());

    afterAll(() => parts.disposeAsync(), 60_000);

    /** Starts a run of which a few lines are stored. */
    async function start(): Promise<Run> {
      const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
      await runners.print(200);
      await untilStored(world.database, run, 200);
      return run;
    }

    async function untilLeaseIsOver(run: Run): Promise<void> {
      await until("the end of the lease", async () => {
        const rows = await world.database.query(
          "select from test_run_steps where run_id = $1 and lease_expires_at < now()",
          [run.id],
        );
        return rows.length === 1;
      });
    }

    test("for longer than the memory lasts, and than the lease, loses nothing", async () => {
      const run = await start();
      world.line.stall();
      await runners.print(MUCH);
      await untilSpooled(server, 20 * MIB);
      // Nobody else can read them any more.
      for (const more of nodeLogs === "auto" ? [1, 2] : []) {
        const before = await sumOf(server, "tailrace_log_spool_bytes");
        await world.there.sandbox.faults.rotateLogs();
        await runners.print(MUCH + 500 * more);
        await untilSpooled(server, before + MIB / 2);
      }
      await untilLeaseIsOver(run);
      world.line.resume();
      await untilStored(world.database, run, runners.target);
      runners.finish();
      await expectWhole(server, run, runners.target, noisyLine);
      expect(await fencesOf(world.database, run)).toEqual(["1"]);
    });

    test("for longer than the lease leaves a run with its server, where another is back sooner", async () => {
      await using line = await openTcpProxy(Number(new URL(world.database.url).port));
      const url = new URL(world.database.url);
      url.port = String(line.port);
      await using other = await world.serve({ DATABASE_URL: url.href });
      const run = await start();
      world.line.stall();
      line.stall();
      await untilLeaseIsOver(run);
      line.resume();
      await until("the other server", async () => (await fetch(`${other.url}/readyz`)).ok);
      world.line.resume();
      await runners.print(400);
      await untilStored(world.database, run, 400);
      runners.finish();
      await expectWhole(server, run, 400, noisyLine);
      expect(await fencesOf(world.database, run)).toEqual(["1"]);
      await other.sigterm();
    });

    test("and a server that is killed meanwhile leaves what it has read to the next one", async () => {
      const run = await start();
      world.line.refuse();
      await runners.print(SOME);
      await untilSpooled(server, 5 * MIB);
      await server.sigkill();
      world.line.accept();
      server = await world.serve();
      expect(server.output()).toContain("handed over what a server before had read");
      await untilStored(world.database, run, SOME);
      runners.finish();
      await expectWhole(server, run, SOME, noisyLine);
    });
  },
);

describe("a spool that is full", { timeout: 120_000 }, () => {
  test("loses nothing that is still in its file, and marks what is not", async () => {
    const runners = new SteeredRunners({ runners: 2, text: noisyLine });
    const sandbox = { programs: [runners.program], logMaxBytes: -1, logMaxFiles: 2 };
    await using world = await openWorld({ sandbox, env: { TAILRACE_SPOOL_LIMIT: "2MiB", TAILRACE_LEASE: "3s" } });
    const server = await world.serve();
    const run = await startRun(server.client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(200);
    await untilStored(world.database, run, 200);

    world.line.refuse();
    await runners.print(SOME);
    await untilSpooled(server, FULL);
    world.line.accept();
    await untilStored(world.database, run, SOME);

    world.line.refuse();
    await runners.print(SOME + UNREAD);
    await untilSpooled(server, FULL);
    // The second time the file goes in which the unread lines are.
    await world.there.sandbox.faults.rotateLogs();
    await runners.print(SOME + UNREAD + 100);
    await world.there.sandbox.faults.rotateLogs();
    await runners.print(SOME + UNREAD + 200);
    world.line.accept();
    runners.finish();

    expect(await untilEnd(server.client, run)).toMatchObject({ status: "finished", error: null });
    const report = await checkNumbered(server.url, run.id, runners.target, noisyLine);
    expect(report).toMatchObject({ streams: 2, unflagged: 0, doubled: 0, reordered: 0, untrueGaps: [], truncated: [] });
    expect(report.lost).toBeGreaterThan(0);
    for (const { from, until: end, gap } of report.holes) {
      expect(from).toBeGreaterThanOrEqual(SOME);
      expect(end).toBeLessThanOrEqual(SOME + UNREAD + 100);
      expect(gap).toMatchObject({ reason: "spool_full" });
    }
  });
});

/** Waits until so many bytes are on the disk, and no more come. */
async function untilSpooled(server: ServerProcess, bytes: number): Promise<void> {
  let last = 0;
  let same = 0;
  await until(`${bytes} bytes on the disk`, async () => {
    const now = await sumOf(server, "tailrace_log_spool_bytes");
    same = now === last ? same + 1 : 0;
    last = now;
    return now >= bytes && same >= 20;
  });
}
