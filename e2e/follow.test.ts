import { createHash, type Hash } from "node:crypto";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { RunHandle, RunProgress, StepProgress } from "@tailrace/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SCRIPTS } from "./contract/scripts.ts";
import { checkNumbered } from "./support/numbered.ts";
import type { ServerProcess } from "./support/server.ts";
import { SteeredRunners } from "./support/steered.ts";
import { until } from "./support/until.ts";
import { openWorld, type World } from "./support/world.ts";

const RUNNERS = 4;
/** Of each runner. */
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

/** The lines of each container that were read so far: how many, and a hash over all in their order. */
class Readings {
  lines = 0;
  readonly #pods = new Map<string, { lines: number; hash: Hash }>();

  add(pod: string, seq: number, line: string): void {
    const own = this.#pods.get(pod) ?? { lines: 0, hash: createHash("sha256") };
    own.lines += 1;
    own.hash.update(`${seq} ${line}\n`);
    this.#pods.set(pod, own);
    this.lines += 1;
  }

  describe(): Record<string, { lines: number; sha256: string }> {
    const pods = Array.from(this.#pods, ([pod, { lines, hash }]) => [
      pod,
      { lines, sha256: hash.copy().digest("hex") },
    ]);
    return Object.fromEntries(pods) as ReturnType<Readings["describe"]>;
  }
}

async function readDownload(run: RunHandle): Promise<Readings> {
  const readings = new Readings();
  const body = Readable.fromWeb((await run.download({ format: "ndjson" })) as never);
  for await (const text of createInterface({ input: body, crlfDelay: Infinity })) {
    const { pod, seq, line } = JSON.parse(text) as { pod: string; seq: number; line?: string };
    if (line !== undefined) readings.add(pod, seq, line);
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
        if (item.kind === "line") readings.add(item.pod, item.seq, item.line);
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
