import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TailraceClient, isTailraceError } from "../src/index.ts";
import { ADMIN, type TestServer, demoClient, startServer } from "./server.ts";

let server: TestServer;
let client: TailraceClient;
beforeAll(async () => {
  server = await startServer();
  client = await demoClient(server);
});
afterAll(async () => await server[Symbol.asyncDispose]());

async function post(path: string, body: unknown): Promise<ReturnType<typeof JSON.parse>> {
  const headers = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" };
  const response = await fetch(server.origin + path, { method: "POST", headers, body: JSON.stringify(body) });
  expect(response.status).toBe(400);
  return await response.json();
}

const wrong: [Record<string, unknown>, string, RegExp][] = [
  [{ parallelism: 0 }, "parallelism", /integer from 1 to 10, got 0$/],
  [{ parallelism: 11 }, "parallelism", /integer from 1 to 10, got 11$/],
  [{ parallelism: 1.5 }, "parallelism", /integer from 1 to 10, got 1\.5$/],
  [{ parallelism: "3" }, "parallelism", /integer from 1 to 10, got the string "3"$/],
  [{ parallelism: null }, "parallelism", /integer from 1 to 10, got null$/],
  [{ parallelism: Number.NaN }, "parallelism", /integer from 1 to 10, got null$/],
  [{ paralellism: 3 }, "paralellism", /unknown field "paralellism"/],
];

describe("a wrong field has one message, the same over REST, tRPC and the client", () => {
  it.each(wrong)("runs: %j", async (fields, path, message) => {
    const input = { scenarioId: "checkout", ...fields };
    const rest = await post("/api/dashboard/load-testing/teams/demo/test-runs", input);
    const trpc = await post("/api/trpc/runs.create", { teamId: "demo", ...input });
    const sdk = await client.runs.create.mutate({ teamId: "demo", ...input }).catch((error: unknown) => error);
    if (!isTailraceError(sdk)) throw new Error(`expected a TailraceClientError, got ${String(sdk)}`);
    expect(rest.detail).toMatch(message);
    expect(rest.issues).toEqual([{ path, message: rest.detail }]);
    expect(trpc.error.message).toBe(rest.detail);
    expect(trpc.error.data.issues).toEqual(rest.issues);
    expect([sdk.code, sdk.message, sdk.issues]).toEqual(["BAD_REQUEST", rest.detail, rest.issues]);
    expect((await client.runs.list.query({ teamId: "demo" })).items).toEqual([]);
  });

  it.each(wrong)("scenarios: %j", async (fields, path, message) => {
    const input = { name: "n", script: "s", ...fields };
    const rest = await post("/api/dashboard/load-testing/teams/demo/scenarios", input);
    const sdk = await client.scenarios.create.mutate({ teamId: "demo", ...input }).catch((error: unknown) => error);
    if (!isTailraceError(sdk)) throw new Error(`expected a TailraceClientError, got ${String(sdk)}`);
    expect(rest.detail).toMatch(message);
    expect([sdk.message, sdk.issues]).toEqual([rest.detail, [{ path, message: rest.detail }]]);
  });
});
