import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { STDERR, UNFINISHED, formatContainerLogs, parseContainerLogs } from "@tailrace/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type Json, type TestApi, type TestTeam, makeRun, makeTeam, startApi } from "./api.ts";
import { type Wanted, download } from "./download.ts";
import { MS, RunLogs, T0, countedLines } from "./logs.ts";
import { verbs } from "./verbs.ts";

const page = verbs.find(({ procedure }) => procedure === "logs.page")!;

let api: TestApi;
let team: TestTeam;
beforeAll(async () => {
  api = await startApi({ limits: { maxActiveRuns: 200, allowedImages: [], namespace: "load" } });
  team = await makeTeam(api, "checkout");
});
afterAll(async () => await api[Symbol.asyncDispose]());

function of(runId: string, query = "", rest: Partial<Wanted> = {}): Wanted {
  return { teamId: team.id, runId, query, ...rest };
}

async function textOf(wanted: Wanted): Promise<string> {
  const { status, body, complete } = await download(api, wanted);
  if (status !== 200 || !complete) throw new Error(`${status}: ${body.toString()}`);
  return body.toString();
}

/** An error answer. */
async function refusal(wanted: Wanted): Promise<Json> {
  const { headers, body } = await download(api, wanted);
  expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(headers["content-encoding"]).toBeUndefined();
  return JSON.parse(body.toString());
}

/** Two runners, one with a sidecar, an initializer; with gaps, a truncation, odd bytes. */
async function oddRun(): Promise<string> {
  const run = await makeRun(api, team);
  const logs = await RunLogs.of(api, run);
  const two = await logs.stream({ pod: "k6-two", runner: 2, named: true });
  await two.write(countedLines("two", 5, T0 + 2n * MS), { linesPerChunk: 2 });
  await two.write([], { gaps: [{ seq: 5, reason: "spool_full", certain: false }] });
  await two.seal({ verified: null, truncated: "the pod was deleted:\u00a0gone" });
  const agent = await logs.stream({ pod: "k6-two", runner: 2, container: "agent", restart: 1, named: true });
  await agent.seal({ verified: null, truncated: "never read" });
  const one = await logs.stream({ pod: "k6-one", runner: 1 });
  await one.write(
    [
      { line: "=== Container: k6-two ===", time: T0 },
      { line: "\\\\=== Gap: no gap ===", time: T0 + MS },
      { line: "= no header", time: T0 + MS, flags: STDERR },
      { line: "", time: T0 + 2n * MS },
    ],
    { gaps: [{ seq: 0, reason: "late_start", certain: true }] },
  );
  await one.write(
    [
      { line: Uint8Array.of(0x61, 0xff, 0x00, 0x0d), time: T0 + 3n * MS },
      { line: "ünfinished", time: T0 + 4n * MS, flags: UNFINISHED },
    ],
    { gaps: [{ seq: 4, reason: "rotated", certain: false }] },
  );
  await one.seal();
  const first = await logs.stream({ pod: "k6-initializer", role: "initializer", runner: null });
  await first.write(countedLines("level=info prepare", 2));
  return run.id;
}

describe("text", () => {
  it("is the snapshot's format with all lines, their bytes as they are", async () => {
    const runId = await oddRun();
    const { headers, body } = await download(api, of(runId));
    const after = "after 2026-11-24T10:00:00.000000000Z";
    const expected = Buffer.from(
      [
        "=== Container: k6-initializer ===",
        "level=info prepare 0",
        "level=info prepare 1",
        "",
        "=== Container: k6-one ===",
        `=== Gap: lines are missing here, ${after}: the log had been rotated before reading began ===`,
        "\\=== Container: k6-two ===",
        "\\\\\\=== Gap: no gap ===",
        "= no header",
        "",
        `=== Gap: lines may be missing here, ${after}: the kubelet rotated the log away before it was read ===`,
        "a\xff\0\r",
        "\xc3\xbcnfinished",
        "",
        "=== Container: k6-two/k6 (ERROR) ===",
        "the pod was deleted:\xc2\xa0gone",
        "two 0",
        "two 1",
        "two 2",
        "two 3",
        "two 4",
        `=== Gap: lines may be missing here, ${after}: the database was away for too long ===`,
        "",
        "=== Container: k6-two/agent#1 (ERROR) ===",
        "never read",
        "",
      ].join("\n"),
      "latin1",
    );
    expect(body.toString("latin1")).toBe(expected.toString("latin1"));
    expect(headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "content-disposition": `attachment; filename="${runId}.log"`,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      vary: "accept-encoding",
    });
    const sections = parseContainerLogs(body.toString());
    expect(sections.map(({ pod, container, state, lines }) => [pod, container, state, lines.length])).toEqual([
      ["k6-initializer", null, "log", 2],
      ["k6-one", null, "log", 6],
      ["k6-two", "k6", "error", 5],
      ["k6-two", "agent", "error", 0],
    ]);
    expect(sections[1]!.lines[0]).toBe("=== Container: k6-two ===");
  });

  it("is what core makes of the lines, whatever they are", async () => {
    const anyLine = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("=== Container: x ===", "=== Gap: x ===", "\\=== Gap: x", "\\\\", "=", "=== Container: ", "\r"),
    );
    const lines = fc.array(
      anyLine.map((line) => line.replaceAll("\n", "")),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(lines, lines, fc.integer({ min: 1, max: 5 }), async (first, second, linesPerChunk) => {
        const run = await makeRun(api, team);
        const logs = await RunLogs.of(api, run);
        for (const [runner, own] of [
          [1, first],
          [2, second],
        ] as const) {
          const stream = await logs.stream({ pod: `k6-${runner}`, runner });
          await stream.write(
            own.map((line, at) => ({ line, time: T0 + BigInt(at) })),
            { linesPerChunk },
          );
        }
        const section = { container: null, restart: 0, state: "log", reason: null } as const;
        const expected = formatContainerLogs([
          { ...section, pod: "k6-1", lines: first },
          { ...section, pod: "k6-2", lines: second },
        ]);
        expect(await textOf(of(run.id))).toBe(expected);
        await logs.end();
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});

describe("ndjson", () => {
  it("has what the pages have, in their order, one object a line", async () => {
    const runId = await oddRun();
    const { headers, body } = await download(api, of(runId, "format=ndjson"));
    expect(headers).toMatchObject({
      "content-type": "application/x-ndjson",
      "content-disposition": `attachment; filename="${runId}.ndjson"`,
    });
    const objects: Json[] = body
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const { items } = (await api.rest(page, { teamId: team.id, runId, limit: 1000 }, ADMIN)).json;
    const expected = items.map(({ kind, ...item }: Json) => {
      const { pod, container, restart, role, runner, seq, ...rest } = item;
      const head = { pod, container, restart, role, runner, seq };
      return kind === "line" ? item : { ...head, ...(kind === "gap" ? { gap: rest } : { truncated: rest.reason }) };
    });
    expect(objects).toEqual(expected);
    expect(objects.filter(({ gap }) => gap !== undefined)).toHaveLength(3);
    expect(objects.filter(({ truncated }) => truncated !== undefined)).toHaveLength(2);
    expect(objects.find(({ base64 }) => base64 !== undefined)).toMatchObject({
      line: "a\ufffd\0\r",
      base64: "Yf8ADQ==",
    });
  });

  it("has the exact bytes of any line", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 20 }), async (all) => {
        const lines = all.map((bytes) => bytes.filter((byte) => byte !== 0x0a));
        const run = await makeRun(api, team);
        const logs = await RunLogs.of(api, run);
        await (await logs.stream()).write(lines.map((line, at) => ({ line, time: T0 + BigInt(at) })));
        const body = await textOf(of(run.id, "format=ndjson"));
        const read = body
          .trimEnd()
          .split("\n")
          .map((text) => {
            const { line, base64 } = JSON.parse(text);
            return base64 === undefined ? Buffer.from(line) : Buffer.from(base64, "base64");
          });
        expect(read).toEqual(lines.map((line) => Buffer.from(line)));
        await logs.end();
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});

describe("raw", () => {
  it("is exactly what the container wrote, and says in headers what that lacks", async () => {
    const runId = await oddRun();
    const one = await download(api, of(runId, "format=raw&pod=k6-one&container=k6"));
    const written = "=== Container: k6-two ===\n\\\\=== Gap: no gap ===\n= no header\n\na\xff\0\r\n\xc3\xbcnfinished";
    expect(one.body.toString("latin1")).toBe(written);
    expect(one.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${runId}-k6-one-k6.log"`,
      "tailrace-gaps": "2",
      "tailrace-sha256": "5a".repeat(32),
    });
    expect(one.headers["tailrace-truncated"]).toBeUndefined();
    const agent = await download(api, of(runId, "format=raw&pod=k6-two&container=agent&restart=1"));
    expect([agent.status, agent.body.length]).toEqual([200, 0]);
    expect(agent.headers["content-disposition"]).toBe(`attachment; filename="${runId}-k6-two-agent-1.log"`);
    const two = await download(api, of(runId, "format=raw&pod=k6-two&container=k6"));
    expect(two.headers["tailrace-truncated"]).toBe("the%20pod%20was%20deleted:%C2%A0gone");
  });

  it("is of one container, which must be named", async () => {
    const run = await makeRun(api, team);
    const logs = await RunLogs.of(api, run);
    for (const restart of [0, 1]) await (await logs.stream({ pod: "a", container: "agent", restart })).write([]);
    await logs.stream({ pod: "b" });
    const issues = async (query: string): Promise<Json> => (await refusal(of(run.id, `format=raw${query}`))).issues;
    expect(await issues("")).toEqual([
      { path: "pod", message: "pod must be given where the format is raw, which is one container's" },
      { path: "container", message: "container must be given where the format is raw, which is one container's" },
    ]);
    expect(await issues("&pod=c&container=k6")).toEqual([{ path: "pod", message: "pod must be one of a, b" }]);
    expect(await issues("&pod=a&container=k6")).toEqual([
      { path: "container", message: "container must be one of agent" },
    ]);
    const restart = [{ path: "restart", message: "restart must be one of 0, 1" }];
    expect(await issues("&pod=a&container=agent")).toEqual(restart);
    expect(await issues("&pod=a&container=agent&restart=2")).toEqual(restart);
    expect(await textOf(of(run.id, "format=raw&pod=a&container=agent&restart=1"))).toBe("");
  });
});

describe("encodings", () => {
  it.each(["text", "ndjson", "raw&pod=k6-one&container=k6"])("carry the same: %s", async (format) => {
    const runId = await oddRun();
    const plain = await download(api, of(runId, `format=${format}`));
    expect(plain.headers["content-encoding"]).toBeUndefined();
    const gzip = await download(api, of(runId, `format=${format}`, { acceptEncoding: "gzip, deflate" }));
    expect(gzip.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(gzip.body)).toEqual(plain.body);
    const zstd = await download(api, of(runId, `format=${format}`, { acceptEncoding: "gzip, deflate, br, zstd" }));
    expect(zstd.headers["content-encoding"]).toBe("zstd");
    expect(zstdDecompressSync(zstd.body)).toEqual(plain.body);
  });

  it("are undone by a client like fetch", async () => {
    const runId = await oddRun();
    const plain = await textOf(of(runId));
    const path = `/api/dashboard/load-testing/teams/${team.id}/test-runs/${runId}/logs/full`;
    const answer = await api.ask("GET", path, { token: team.tokens.viewer });
    expect([answer.headers.get("content-encoding"), answer.text]).toEqual(["gzip", plain]);
  });
});

describe("the selection", () => {
  it("is of text and ndjson too", async () => {
    const runId = await oddRun();
    const pods = async (query: string): Promise<string[]> =>
      parseContainerLogs(await textOf(of(runId, query))).map(({ pod, container }) => `${pod}/${container ?? ""}`);
    expect(await pods("roles=initializer&roles=starter")).toEqual(["k6-initializer/"]);
    expect(await pods("runners=2&containers=agent")).toEqual(["k6-two/agent"]);
    expect(await pods("pods=k6-one&pods=k6-initializer")).toEqual(["k6-initializer/", "k6-one/"]);
    expect(await pods("pod=k6-two&container=k6&restart=0")).toEqual(["k6-two/k6"]);
    const lines = (await textOf(of(runId, "format=ndjson&runners=1"))).trimEnd().split("\n");
    expect(new Set(lines.map((line) => JSON.parse(line).pod))).toEqual(new Set(["k6-one"]));
  });
});

describe("what is refused", () => {
  it.each<[string, string, RegExp]>([
    ["format=xml", "format", /^format must be one of text, ndjson, raw$/],
    ["restart=-1", "restart", /^restart must be an integer from 0 to 1000000$/],
    ["pod=", "pod", /^pod must have 1 to 253 characters, got 0$/],
    ["runners=11", "runners.0", /^runners must be an integer from 1 to 10$/],
    ["include=a", "include", /^unknown field "include"$/],
    ["teamId=other", "teamId", /^teamId is given by the path and must not be in the query$/],
  ])("%s names the field", async (query, path, message) => {
    const runId = await oddRun();
    const { status, code, issues } = await refusal(of(runId, query));
    expect([status, code]).toEqual([400, "BAD_REQUEST"]);
    expect(issues).toEqual([{ path, message: expect.stringMatching(message) }]);
  });

  it("is whoever may not read the run", async () => {
    const runId = await oddRun();
    const other = await makeTeam(api, "other");
    for (const token of ["wrong", ""]) expect(await refusal(of(runId, "", { token }))).toMatchObject({ status: 401 });
    expect((await download(api, of(runId, "", { token: team.tokens.viewer }))).status).toBe(200);
    expect(await refusal(of(runId, "", { token: other.tokens.admin }))).toMatchObject({
      status: 404,
      detail: 'team "checkout" not found',
    });
    expect(await refusal({ teamId: other.id, runId })).toMatchObject({
      status: 404,
      detail: `test run "${runId}" not found`,
    });
  });

  it("is what would be an empty file", async () => {
    const run = await makeRun(api, team);
    expect(await refusal(of(run.id))).toMatchObject({ status: 404, detail: `test run "${run.id}" has no logs yet` });
    const logs = await RunLogs.of(api, run);
    const stream = await logs.stream({ pod: "a" });
    expect(await refusal(of(run.id, "pods=b"))).toMatchObject({
      status: 404,
      detail: `test run "${run.id}" has no log of such a container`,
    });
    expect(await textOf(of(run.id))).toBe("=== Container: a ===\n");
    await stream.write(countedLines("a", 1));
    await stream.seal();
    await logs.end();
    await api.store.dropDaysBefore("2099-01-01");
    for (const query of ["", "format=ndjson", "format=raw&pod=a&container=k6"])
      expect(await refusal(of(run.id, query, { acceptEncoding: "zstd" }))).toMatchObject({
        status: 404,
        detail: `the logs of test run "${run.id}" were deleted because of their age`,
      });
  });

  it("is HEAD, for which everything would have to be read", async () => {
    const runId = await oddRun();
    const path = `/api/dashboard/load-testing/teams/${team.id}/test-runs/${runId}/logs/full`;
    expect((await api.ask("HEAD", path, { token: ADMIN })).status).toBe(404);
  });
});
