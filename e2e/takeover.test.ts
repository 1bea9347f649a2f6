import { connect, type Socket } from "node:net";
import { once } from "node:events";
import type { Run } from "@tailrace/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { sumOf } from "./support/metrics.ts";
import { startRun } from "./support/runs.ts";
import type { ServerProcess } from "./support/server.ts";
import { SteeredRunners } from "./support/steered.ts";
import { until } from "./support/until.ts";
import { expectWhole } from "./support/whole.ts";
import { openWorld, type World } from "./support/world.ts";

/** How a stream stands in the store. */
interface Standing {
  fence: number;
  seq: number;
}

describe.each(["auto", "off"] as const)("streams with TAILRACE_NODE_LOGS=%s", { timeout: 120_000 }, (nodeLogs) => {
  const runners = new SteeredRunners({ runners: 2 });
  const parts = new AsyncDisposableStack();
  let world: World;
  let servers: ServerProcess[];

  beforeAll(async () => {
    const env = { TAILRACE_NODE_LOGS: nodeLogs };
    world = parts.use(await openWorld({ sandbox: { programs: [runners.program] }, env }));
    servers = await Promise.all([world.serve(), world.serve()]);
  }, 60_000);

  afterAll(() => parts.disposeAsync(), 60_000);

  async function standings(run: Run): Promise<Standing[]> {
    return await world.database.query<Standing>(
      "select fence::int, next_seq::int as seq from log_streams where run_id = $1 and role = 'runner' order by ordinal",
      [run.id],
    );
  }

  /** The server that holds the only step, and the other one. */
  async function byHolding(): Promise<[holder: ServerProcess, other: ServerProcess]> {
    const steps = await Promise.all(servers.map((server) => sumOf(server, "tailrace_active_steps")));
    expect(new Set(steps)).toEqual(new Set([0, 1]));
    const [first, second] = servers as [ServerProcess, ServerProcess];
    return steps[0] === 1 ? [first, second] : [second, first];
  }

  /** Waits until another server has stored new lines of every runner. @returns the milliseconds */
  async function takeover(run: Run, end: () => void): Promise<number> {
    const before = await standings(run);
    expect(before).toHaveLength(2);
    const begun = performance.now();
    end();
    await until("another server's lines", async () => {
      const now = await standings(run);
      return now.every(({ fence, seq }, index) => fence > before[index]!.fence && seq > before[index]!.seq);
    });
    return performance.now() - begun;
  }

  test("are with another server within 10 s of a SIGKILL and 1 s of a SIGTERM, whole", async ({ annotate }) => {
    const [, { client }] = servers as [ServerProcess, ServerProcess];
    const run = await startRun(client, { script: SCRIPTS.pass, parallelism: 2 });
    await runners.print(100);
    runners.keepPrinting(20);
    await until("lines of both", async () => (await standings(run)).filter(({ seq }) => seq > 0).length === 2);

    const [killed, survivor] = await byHolding();
    const afterKill = await takeover(run, () => void killed.sigkill());
    servers = [await world.serve(), survivor];
    await annotate(`SIGKILL: ${Math.round(afterKill)} ms`);

    const [stopped, other] = await byHolding();
    expect(stopped).toBe(survivor);
    // A client that takes its time keeps the server from ending, but not the streams from moving.
    using slow = await openRequest(stopped.url);
    let exit: Promise<number | null> | undefined;
    const afterTerm = await takeover(run, () => {
      exit = stopped.sigterm();
    });
    await annotate(`SIGTERM: ${Math.round(afterTerm)} ms`);
    slow.socket.destroy();
    expect(await exit).toBe(0);
    expect(stopped.output()).toContain('"msg":"closed"');

    runners.finish();
    await expectWhole(other, run, runners.target);
    expect(afterKill).toBeLessThan(10_000);
    expect(afterTerm).toBeLessThan(1000);
  });
});

/** A request whose body never ends. */
async function openRequest(url: string): Promise<{ socket: Socket } & Disposable> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.on("error", () => undefined);
  const head = [
    "POST /api/dashboard/load-testing/teams/demo/test-runs HTTP/1.1",
    `Host: ${hostname}:${port}`,
    "Content-Type: application/json",
    "Content-Length: 100",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n{`);
  return { socket, [Symbol.dispose]: () => socket.destroy() };
}
