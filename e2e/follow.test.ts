import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { LogItem, LogLineItem, RunHandle, RunProgress, StepProgress } from "@tailrace/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { checkNumbered } from "./support/numbered.ts";
import type { ServerProcess } from "./support/server.ts";
import { SteeredRunners } from "./support/steered.ts";
import { until } from "./support/until.ts";
import { openWorld, type World } from "./support/world.ts";

const RUNNERS = 4;
/** Of each runner; more are for whoever has the time. */
const LINES = Number(process.env["TAILRACE_TEST_LINES"] ?? 10_000);

const runners = new SteeredRunners({ runners: RUNNERS });
const parts = new AsyncDisposableStack();
let world: World;
let server: ServerProcess;

beforeAll(async () => {
  world = parts.use(await openWorld({ sandbox: { programs: [runners.program] } }));
  server = await world.serve();
}, 60_000);

afterAll(() => parts.disposeAsync(), 60_000);

/** Ends the server as a crash would, and starts another one at its address. */
async function crash(): Promise<void> {
  const { port } = new URL(server.url);
  await server.sigkill();
  server = await world.serve({ PORT: port });
}

/** What was read so far: how many lines, and a hash over all in their order. */
class Reading {
  lines = 0;
  readonly #hash = createHash("sha256");

  add(pod: string, restart: number, seq: number, line: string): void {
    this.lines += 1;
    this.#hash.update(`${pod} ${restart} ${seq} ${line}\n`);
  }

  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  addItem(item: LogItem): void {
    if (item.kind === "line") this.add(item.pod, item.restart, item.seq, item.line);
  }
}

/** Each container's lines apart: live, lines of several come in the order in which they were stored. */
class Readings {
  readonly #pods = new Map<string, Reading>();

  of(pod: string): Reading {
    const reading = this.#pods.get(pod) ?? new Reading();
    this.#pods.set(pod, reading);
    return reading;
  }

  get lines(): number {
    return Array.from(this.#pods.values()).reduce((sum, { lines }) => sum + lines, 0);
  }

  describe(): Record<string, { lines: number; digest: string }> {
    const pods = Array.from(this.#pods, ([pod, { lines, digest }]) => [pod, { lines, digest }] as const);
    return Object.fromEntries(pods.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

async function readDownload(run: RunHandle): Promise<Readings> {
  const readings = new Readings();
  const body = Readable.fromWeb((await run.download({ format: "ndjson" })) as never);
  for await (const text of createInterface({ input: body, crlfDelay: Infinity })) {
    const { pod, restart = 0, seq, line } = JSON.parse(text) as Partial<LogLineItem> & { pod: string; seq: number };
    if (line !== undefined) readings.of(pod).add(pod, restart, seq, line);
  }
  return readings;
}

test(
  "a client that follows a run has each stored line once, in order, while its server is killed twice",
  { timeout: 300_000 },
  async () => {
    const { client } = server;
    const { id: scenarioId } = await client.scenarios.create.mutate({
      teamId: "demo",
      name: "follow",
      script: SCRIPTS.pass,
    });
    const run = await client.runs.start({ teamId: "demo", scenarioId, parallelism: RUNNERS });
    const readings = new Readings();
    const following = (async () => {
      for await (const item of run.logs({ follow: true }))
        if (item.kind === "line") readings.of(item.pod).addItem(item);
    })();
    const steps: StepProgress[] = [];
    const watching = (async () => {
      for await (const step of run.steps()) steps.push(step);
    })();
    const waiting: Promise<RunProgress> = run.wait();
    const all = Promise.all([following, watching, waiting]);
    // Whoever waits for them below hears of it.
    all.catch(() => undefined);

    const printing = runners.print(LINES);
    for (const share of [0.2, 0.6]) {
      const some = until(`${share} of the lines`, () => readings.lines > share * RUNNERS * LINES, 120_000);
      await Promise.race([some, all]);
      await crash();
    }
    await printing;
    runners.finish();
    const [, , last] = await all;

    expect(last).toMatchObject({ id: run.id, status: "finished" });
    // The run may be under way when it is first looked at.
    expect(["pending", "running"]).toContain(steps[0]!.status);
    expect(new Set(steps.map((step) => JSON.stringify(step))).size).toBe(steps.length);
    expect(steps.at(-1)).toMatchObject({ status: "finished", stage: "finished" });
    expect(readings.describe()).toEqual((await readDownload(run)).describe());
    const report = await checkNumbered(server.url, run.id, LINES);
    expect(report).toMatchObject({ streams: RUNNERS, lines: RUNNERS * LINES, lost: 0, doubled: 0, reordered: 0 });
    expect(await run.text()).toContain(`=== Container: ${last.steps[0]!.name}-1-`);
  },
);
