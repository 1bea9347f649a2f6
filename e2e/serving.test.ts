import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createClient } from "@tailrace/client";
import { describe, expect, test } from "vitest";
import { openDatabase } from "./support/database.ts";
import { openSandbox } from "./support/sandbox.ts";
import { spawnServer, temporaryFolder } from "./support/server.ts";

const MAIN = fileURLToPath(new URL("../apps/server/src/main.ts", import.meta.url));
const ADMIN = "an-admin-token-for-this-test-only";

/** Runs `main.ts` to its end. */
async function runToEnd(args: string[], env: Record<string, string>): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ["--conditions=source", MAIN, ...args], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

describe("a server that is not to start", () => {
  test.each([
    [["start"], {}, 1, /^tailrace: TAILRACE_ADMIN_TOKEN is not set/],
    [
      ["start"],
      { TAILRACE_AUTH: "none", HOST: "0.0.0.0" },
      1,
      /^tailrace: TAILRACE_AUTH=none is refused with HOST=0\.0\.0\.0/,
    ],
    [["demo"], { HOST: "0.0.0.0" }, 1, /^tailrace: TAILRACE_AUTH=none is refused/],
    [["start"], { PORT: "http" }, 1, /^tailrace: PORT must be an integer from 0 to 65535, got "http"\n$/],
    [["start"], { TAILRACE_AUTH: "none", DATABASE_URL: "postgres://u:secret@127.0.0.1:1/x" }, 1, /127\.0\.0\.1:1/],
    [["start"], { TAILRACE_AUTH: "none", KUBECONFIG: "/does/not/exist" }, 1, /\/does\/not\/exist does not exist/],
    [["serve"], {}, 2, /^usage: main\.ts demo \| start/],
  ])("%j with %j says why", async (args, env, code, message) => {
    await using folder = await temporaryFolder();
    const ended = await runToEnd(args, { TAILRACE_DATA_DIR: folder.path, ...env });
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toContain("secret");
    expect(ended.code).toBe(code);
  });

  test("a second demo on the same data names the first one's pid, and leaves it alone", async () => {
    await using folder = await temporaryFolder();
    const env = { TAILRACE_DATA_DIR: folder.path, TAILRACE_SANDBOX: "replay" };
    await using first = await spawnServer("demo", env);
    const second = await runToEnd(["demo"], { ...env, PORT: "0" });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(String(first.child.pid));
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  });
});

describe("a server with tokens", () => {
  test("opens nothing but the probes, and metrics only to tokens of their own", async () => {
    await using there = await openSandbox({ mode: "replay" });
    await using database = await openDatabase();
    await using server = await spawnServer("start", {
      ...there.env,
      DATABASE_URL: database.url,
      TAILRACE_ADMIN_TOKEN: ADMIN,
      TAILRACE_METRICS_TOKEN: "a-metrics-token-for-this-test",
    });
    const status = async (path: string, token?: string): Promise<number> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(`${server.url}${path}`, { headers })).status;
    };
    expect(await status("/healthz")).toBe(200);
    expect(await status("/readyz")).toBe(200);
    for (const path of [
      "/metrics",
      "/api/trpc/teams.list",
      "/api/dashboard/load-testing/teams",
      "/api/no-such-route",
    ]) {
      expect([path, await status(path)]).toEqual([path, 401]);
      expect([path, await status(path, "an-admin-token-for-this-test-onlz")]).toEqual([path, 401]);
    }
    expect(await status("/metrics", "a-metrics-token-for-this-test")).toBe(200);
    expect(await status("/api/dashboard/load-testing/teams", "a-metrics-token-for-this-test")).toBe(401);
    const metrics = await (
      await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN}` } })
    ).text();
    expect(metrics).toMatch(/^tailrace_watch_connected 1$/m);
    expect(metrics).not.toContain(ADMIN);

    const admin = createClient({ url: server.url, token: ADMIN });
    await admin.teams.create.mutate({ id: "checkout", name: "Checkout" });
    const { token: secret } = await admin.teams.createToken.mutate({
      teamId: "checkout",
      name: "pipeline",
      role: "viewer",
    });
    const viewer = createClient({ url: server.url, token: secret });
    expect(await viewer.runs.list.query({ teamId: "checkout" })).toEqual({ items: [], nextCursor: null });
    await expect(viewer.runs.list.query({ teamId: "demo" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(viewer.runs.create.mutate({ teamId: "checkout", scenarioId: "x" })).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
    for (const path of ["/%zz", "/api/%zz", "/nope", `/api/dashboard/load-testing/teams/${"x".repeat(300)}`]) {
      const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${ADMIN}` } });
      const problem = (await answer.json()) as { status: number };
      expect([path, problem]).toEqual([
        path,
        expect.objectContaining({ status: answer.status, code: expect.any(String), detail: expect.any(String) }),
      ]);
      expect(answer.status).toBe(path === "/nope" ? 404 : 400);
    }
    expect(server.output()).not.toContain(ADMIN);
    expect(server.output()).not.toContain(secret);
  });
});
