import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TEAMS, type TestApi, type TestTeam, makeRun, makeTeam, startApi } from "./api.ts";
import type { ProcessMessage } from "./download-process.ts";
import { RunLogs, T0, countedLines } from "./logs.ts";
import serverProcess from "../../../scripts/server-process.json" with { type: "json" };

const MIB = 1024 * 1024;
const BATCHES = 8;
const BATCH_LINES = 60_000;

let api: TestApi;
let team: TestTeam;
let server: ChildProcess;
let origin: string;
beforeAll(async () => {
  let url = "";
  api = await startApi({ reach: async (databaseUrl) => (url = databaseUrl) });
  team = await makeTeam(api, "checkout");
  server = fork(resolve(import.meta.dirname, "download-process.ts"), [url], {
    execArgv: serverProcess.arguments,
    env: { ...process.env, ...serverProcess.env },
  });
  origin = (await answer<{ origin: string }>()).origin;
});
afterAll(async () => {
  if (server.kill("SIGKILL")) await once(server, "exit");
  await api[Symbol.asyncDispose]();
});

async function answer<T extends ProcessMessage>(): Promise<T> {
  const [message] = (await once(server, "message")) as [T];
  return message;
}

async function maxRss(): Promise<number> {
  server.send("memory");
  return (await answer<{ maxRssBytes: number }>()).maxRssBytes;
}

async function sizeOf(runId: string, format: string): Promise<number> {
  const response = await fetch(`${origin}${TEAMS}/${team.id}/test-runs/${runId}/logs/full?format=${format}`);
  expect(response.status).toBe(200);
  let bytes = 0;
  for await (const piece of response.body!) bytes += piece.length;
  return bytes;
}

it("takes no more memory for a log of any size", async () => {
  const small = await makeRun(api, team);
  await (await (await RunLogs.of(api, small)).stream({ pod: "a" })).write(countedLines("line", 100_000));
  const large = await makeRun(api, team);
  const stream = await (await RunLogs.of(api, large)).stream({ pod: "a" });
  const rest = "0123456789abcdef".repeat(20);
  for (let batch = 0; batch < BATCHES; batch++)
    await stream.write(
      Array.from({ length: BATCH_LINES }, (_, at) => ({
        line: `${batch} ${at} ${rest}`,
        time: T0 + BigInt(batch * BATCH_LINES + at) * 1000n,
      })),
    );
  const formats = ["text", "ndjson", "raw&pod=a&container=k6"];
  for (const format of formats) await sizeOf(small.id, format);
  const before = await maxRss();
  for (const format of formats) expect(await sizeOf(large.id, format)).toBeGreaterThan(150 * MIB);
  expect((await maxRss()) - before).toBeLessThan(80 * MIB);
}, 120_000);
