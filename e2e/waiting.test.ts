import type { LogItem, Run } from "@tailrace/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { startRun } from "./support/runs.ts";
import type { ServerProcess } from "./support/server.ts";
import { SteeredRunners } from "./support/steered.ts";
import { until } from "./support/until.ts";
import { openWorld, type World } from "./support/world.ts";

/** Reads a run's logs page by page, each of which waits, until the run has ended. */
class Follower {
  readonly lines: number[][] = [];
  readonly done: Promise<void>;
  pages = 0;

  constructor({ client }: ServerProcess, run: Run) {
    this.done = this.#follow(client, run);
  }

  /** How many lines of every runner were read. */
  get count(): number {
    return this.lines.length < 2 ? 0 : Math.min(...this.lines.map(({ length }) => length));
  }

  async #follow(client: ServerProcess["client"], { id: runId }: Run): Promise<void> {
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const from = cursor === undefined ? {} : { cursor };
      const page = await client.logs.page.query({ teamId: "demo", runId, roles: ["runner"], wait: "20s", ...from });
      for (const item of page.items) this.#take(item);
      this.pages += 1;
      cursor = page.nextCursor;
    }
  }

  #take(item: LogItem): void {
    if (item.kind !== "line") throw new Error(`there is a ${item.kind} in the log`);
    (this.lines[item.runner! - 1] ??= []).push(item.seq);
  }
}

describe("readers that wait at two servers", { timeout: 90_000 }, () => {
  const runners = new SteeredRunners({ runners: 2 });
  const parts = new AsyncDisposableStack();
  let world: World;
  let servers: ServerProcess[];

  beforeAll(async () => {
    world = parts.use(await openWorld({ sandbox: { programs: [runners.program] } }));
    servers = await Promise.all([world.serve(), world.serve()]);
  }, 60_000);

  afterAll(() => parts.disposeAsync(), 60_000);

  /** The connections on which servers hear of what others have stored. */
  const cutListening = (): Promise<unknown> =>
    world.database.query("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen %'", []);

  test("are woken by what either of them stores, also while nothing is announced, and read each line once", async () => {
    const run = await startRun(servers[0]!.client, { script: SCRIPTS.pass, parallelism: 2 });
    const followers = servers.map((server) => new Follower(server, run));
    const all = async (lines: number): Promise<number> => {
      await runners.print(lines);
      const printed = performance.now();
      await until(`${lines} lines at both`, () => followers.every(({ count }) => count >= lines));
      return performance.now() - printed;
    };
    await all(10);
    const waits: number[] = [];
    for (let lines = 11; lines <= 15; lines += 1) waits.push(await all(lines));
    // A poll would have found them a second later, on the average.
    expect(waits.toSorted((a, b) => a - b)[2]).toBeLessThan(700);
    for (let lines = 16; lines <= 18; lines += 1) {
      expect(await cutListening()).not.toEqual([]);
      expect(await all(lines)).toBeLessThan(10_000);
    }
    runners.keepPrinting(50);
    await until("many lines", () => runners.target > 1000);
    runners.finish();
    await Promise.all(followers.map(({ done }) => done));
    const expected = Array.from({ length: runners.target }, (_, seq) => seq);
    for (const { lines } of followers) expect(lines).toEqual([expected, expected]);
  });
});
