import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type Answer, type Json, type TestApi, type TestTeam, makeRun, makeTeam, startApi } from "./api.ts";
import { MS, RunLogs, T0 } from "./logs.ts";
import { verbs } from "./verbs.ts";

const search = verbs.find(({ procedure }) => procedure === "logs.search")!;

let api: TestApi;
let team: TestTeam;
let runId: string;
beforeAll(async () => {
  api = await startApi({ limits: { maxActiveRuns: 100, allowedImages: [], namespace: "load" } });
  team = await makeTeam(api, "checkout");
  const run = await makeRun(api, team);
  runId = run.id;
  const logs = await RunLogs.of(api, run);
  for (const runner of [1, 2]) {
    const stream = await logs.stream({ pod: `k6-${runner}`, runner });
    await stream.write(
      Array.from({ length: 100 }, (_, at) => ({
        line: at % 10 === 0 ? `level=error failed ${at}` : `level=info fine ${at}`,
        time: T0 + BigInt(at * 100) * MS,
      })),
      { linesPerChunk: 30 },
    );
  }
});
afterAll(async () => await api[Symbol.asyncDispose]());

function ask(input: Record<string, unknown>): Promise<Answer> {
  return api.rest(search, { teamId: team.id, runId, ...input }, ADMIN);
}

describe("search", () => {
  it("counts by time and level, the same over both transports", async () => {
    const { json } = await ask({ include: ["failed"], bucket: "5s" });
    expect(json).toEqual({
      matches: 20,
      scanned: 200,
      bucketMs: 5000,
      buckets: [
        { time: "2026-11-24T10:00:00.000Z", matches: 10, levels: { error: 10 } },
        { time: "2026-11-24T10:00:05.000Z", matches: 10, levels: { error: 10 } },
      ],
      complete: true,
    });
    const input = { teamId: team.id, runId, include: ["failed"], bucket: "5s" };
    expect((await api.trpc(search, input, team.tokens.viewer)).json.result.data).toEqual(json);
  });

  it("chooses a width, takes a period, a selection and a filter", async () => {
    const { json } = await ask({
      from: "2026-11-24T10:00:02Z",
      until: "2026-11-24T10:00:04Z",
      runners: "2",
      excludeRegex: "9$",
    });
    expect([json.matches, json.scanned]).toEqual([18, 20]);
    expect(json.bucketMs).toBe(50);
    const counts: Json[] = json.buckets;
    expect(counts[0]).toEqual({ time: "2026-11-24T10:00:02.000Z", matches: 1, levels: { error: 1 } });
    expect(counts.reduce((sum, { matches }) => sum + matches, 0)).toBe(18);
  });

  it("finds nothing where nothing is", async () => {
    expect((await ask({ pods: "nobody" })).json).toMatchObject({ matches: 0, scanned: 0, buckets: [], complete: true });
    const empty = await makeRun(api, team);
    expect((await ask({ runId: empty.id })).json).toMatchObject({ matches: 0, buckets: [], complete: true });
  });

  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ bucket: "5" }, "bucket", /^bucket must be a whole number from 1 to 9999 with ms, s, m, h or d behind it/],
    [{ bucket: "1ms", until: "2027-11-24T10:00:00Z" }, "bucket", /^bucket must .* no more than 10000 buckets$/],
    [{ include: ["a"], includeRegex: "(" }, "includeRegex.0", /^includeRegex\.0 must be a regular expression/],
    [{ from: "2026-11-24T10:00:00Z", until: "2026-11-24T09:00:00Z" }, "until", /^until must be later than from$/],
    [{ limit: 1 }, "limit", /^unknown field "limit"$/],
  ])("refuses %j and names the field", async (input, path, message) => {
    const { status, json } = await ask(input);
    expect(status).toBe(400);
    expect(json.issues).toEqual([{ path, message: expect.stringMatching(message) }]);
  });

  it("does not find another team's run", async () => {
    const other = await makeTeam(api, "other");
    const { status } = await api.rest(search, { teamId: other.id, runId }, other.tokens.viewer);
    expect(status).toBe(404);
  });
});
