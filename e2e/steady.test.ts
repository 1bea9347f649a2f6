import type { RequestLogEntry } from "@tailrace/sandbox";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { openDatabase, type Database } from "./support/database.ts";
import { atStage, startRun, untilRun } from "./support/runs.ts";
import { openSandbox, type TestSandbox } from "./support/sandbox.ts";
import { spawnServer, type ServerProcess } from "./support/server.ts";
import { until } from "./support/until.ts";

const RUNS = 50;
const SNAPSHOT_INTERVAL_MS = 1000;

/** Keeps every UPDATE of a step but those of leases, with the columns that it names. */
const AUDIT = `
  create table audit (id bigserial primary key, at timestamptz not null default clock_timestamp(), statement text not null);
  create function audit_update() returns trigger language plpgsql as $$
  begin
    insert into audit (statement) values (current_query());
    return null;
  end $$;
  create trigger audit_steps after update on test_run_steps for each statement execute function audit_update();
`;

describe(`${RUNS} active runs in one namespace`, () => {
  let there: TestSandbox;
  let database: Database;
  let server: ServerProcess;
  const requests: RequestLogEntry[] = [];

  beforeAll(async () => {
    [there, database] = await Promise.all([
      openSandbox({ mode: "replay", requestLog: (entry) => requests.push(entry) }),
      openDatabase(),
    ]);
    server = await spawnServer("start", {
      ...there.env,
      DATABASE_URL: database.url,
      TAILRACE_AUTH: "none",
      TAILRACE_MAX_ACTIVE_RUNS: String(RUNS),
      TAILRACE_SNAPSHOT_INTERVAL: `${SNAPSHOT_INTERVAL_MS}ms`,
      TAILRACE_NODE_LOGS: "off",
      TAILRACE_LEASE: "3s",
    });
  }, 60_000);

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await there?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
  }, 60_000);

  test("take three watches and no list or get of their own, and one more run is refused", async () => {
    const runs = await Promise.all(
      Array.from({ length: RUNS }, () => startRun(server.client, { script: SCRIPTS.long })),
    );
    await expect(startRun(server.client, { script: SCRIPTS.long })).rejects.toMatchObject({
      code: "TOO_MANY_REQUESTS",
    });
    await Promise.all(
      runs.map((run) => untilRun(() => server.client, run, "stage started", atStage("started"), 90_000)),
    );

    const reads = requests.filter(({ method, path }) => method === "GET" && !path.endsWith("/log"));
    const watches = reads.filter(({ query }) => query.includes("watch="));
    expect(watches.map(({ path }) => path.split("/").at(-1)).toSorted((a, b) => a!.localeCompare(b!))).toEqual([
      "jobs",
      "pods",
      "testruns",
    ]);
    expect(reads.length - watches.length).toBe(3);
    for (const run of runs) await server.client.runs.stop.mutate({ teamId: "demo", runId: run.id });
    for (const run of runs)
      await untilRun(
        () => server.client,
        run,
        "the end",
        ({ status }) => status === "finished",
        90_000,
      );
  }, 180_000);

  test("nothing is written while nothing changes, and a snapshot no more often than it may be", async () => {
    const run = await startRun(server.client, { script: SCRIPTS.long });
    await untilRun(() => server.client, run, "stage started", atStage("started"));
    await database.query(AUDIT);
    const readings = (): number => requests.filter(({ path }) => path.includes(`/${run.steps[0]!.name}-1-`)).length;
    await until("a snapshot with lines of the runner", async () => (await snapshots()).length > 0 && readings() > 0);
    const before = readings();
    await until("five snapshots", async () => (await snapshots()).length >= 5);
    expect(readings()).toBe(before);
    const times = (await snapshots()).map(({ at }) => at);
    for (const [index, at] of times.entries())
      if (index > 0) expect(at - times[index - 1]!).toBeGreaterThan(0.8 * SNAPSHOT_INTERVAL_MS);

    // A log that can't be read is the same at every reading: its failure is shown once.
    there.sandbox.faults.fail({ count: Infinity, method: "GET", path: /\/log\?/, answer: 503 });
    there.sandbox.faults.cutConnections();
    await untilRun(
      () => server.client,
      run,
      "an ERROR section",
      ({ steps }) => steps[0]!.containerLogs!.includes(" (ERROR) ==="),
    );
    await until("ten renewals of the lease with nothing between them", async () => {
      const last = (await audited()).slice(-10);
      return last.length === 10 && last.every(isLease);
    });
    await database.query("delete from audit");

    there.sandbox.faults.clear();
    await untilRun(
      () => server.client,
      run,
      "readable logs",
      ({ steps }) => !steps[0]!.containerLogs!.includes(" (ERROR) ==="),
    );
    const writes = (await audited()).filter((entry) => !isLease(entry));
    expect(writes.length).toBeGreaterThan(0);
    for (const { statement } of writes) expect(statement).toMatch(/set .*"container_logs" = \$/);
  }, 120_000);

  interface Audited {
    /** Milliseconds since the epoch. */
    at: number;
    statement: string;
  }

  async function audited(): Promise<Audited[]> {
    return await database.query<Audited>(
      "select (extract(epoch from at) * 1000)::float as at, statement from audit order by id",
    );
  }

  async function snapshots(): Promise<Audited[]> {
    return (await audited()).filter(({ statement }) => /set .*"container_logs" = \$/.test(statement));
  }

  function isLease({ statement }: Audited): boolean {
    return /set "lease_(holder|expires_at)" = /.test(statement);
  }
});
