import { STDERR, UNFINISHED } from "@tailrace/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type Answer, type Json, type TestApi, type TestTeam, makeRun, makeTeam, startApi } from "./api.ts";
import { MS, RunLogs, T0, type TestLine, countedLines, show } from "./logs.ts";
import { verbs } from "./verbs.ts";

const page = verbs.find(({ procedure }) => procedure === "logs.page")!;
const streams = verbs.find(({ procedure }) => procedure === "logs.streams")!;

let api: TestApi;
let team: TestTeam;
beforeAll(async () => {
  api = await startApi({ limits: { maxActiveRuns: 100, allowedImages: [], namespace: "load" } });
  team = await makeTeam(api, "checkout");
});
afterAll(async () => await api[Symbol.asyncDispose]());

/** A page as it is over both transports. */
async function ask(runId: string, input: Record<string, unknown> = {}): Promise<Json> {
  const fields = { teamId: team.id, runId, ...input };
  const [rest, trpc] = await Promise.all([api.rest(page, fields, ADMIN), api.trpc(page, fields, ADMIN)]);
  if (rest.status !== 200) throw new Error(`${rest.status}: ${rest.text}`);
  expect(trpc.json.result.data).toEqual(rest.json);
  return rest.json;
}

function refusal(runId: string, input: Record<string, unknown>): Promise<Answer> {
  return api.rest(page, { teamId: team.id, runId, ...input }, ADMIN);
}

async function shown(runId: string, input: Record<string, unknown> = {}): Promise<string[]> {
  return (await ask(runId, input)).items.map(show);
}

/** Every page one way, joined in the order of time. */
async function all(runId: string, input: Record<string, unknown>): Promise<{ items: string[]; pages: number }> {
  const backward = input["direction"] === "backward";
  let items: string[] = [];
  let cursor: string | undefined | null;
  let pages = 0;
  do {
    const got = await ask(runId, { ...input, ...(cursor === undefined ? {} : { cursor }) });
    const own: string[] = got.items.map(show);
    items = backward ? [...own, ...items] : [...items, ...own];
    cursor = backward ? got.previousCursor : got.nextCursor;
    pages += 1;
  } while (cursor !== null);
  return { items, pages };
}

/** A run of two runners and an initializer, with gaps, a truncation and stamps that go back; it has ended. */
async function mixedRun(): Promise<{ id: string; whole: string[] }> {
  const run = await makeRun(api, team);
  const logs = await RunLogs.of(api, run);
  const first = await logs.stream({ pod: "init", role: "initializer", runner: null });
  await first.write(countedLines("level=info prepare", 3));
  await first.seal();
  const one = await logs.stream({ pod: "one", runner: 1 });
  const two = await logs.stream({ pod: "two", runner: 2 });
  // Stamps of stderr may be older than those of the lines before them.
  await one.write(
    Array.from({ length: 20 }, (_, at): TestLine => ({
      line: `level=${at % 5 === 0 ? "error" : "info"} one ${at}`,
      time: T0 + BigInt(10 + at * 2 - (at % 3 === 2 ? 5 : 0)) * MS,
      flags: at % 3 === 2 ? STDERR : 0,
    })),
    { linesPerChunk: 6 },
  );
  await one.seal();
  await two.write(countedLines("two", 10, T0 + 11n * MS));
  await two.write(countedLines("two later", 5, T0 + 30n * MS), {
    gaps: [{ seq: 10, reason: "rotated", certain: true }],
  });
  await two.write([], { gaps: [{ seq: 15, reason: "source_changed", certain: false }] });
  await two.seal({ verified: null, verifiedBy: null, truncated: "the pod was deleted" });
  await logs.end();
  const { items } = await ask(run.id, { limit: 1000 });
  return { id: run.id, whole: items.map(show) };
}

describe("streams", () => {
  it("say what is known of each container's log", async () => {
    const run = await makeRun(api, team);
    const logs = await RunLogs.of(api, run);
    const runner = await logs.stream({ pod: "runner", runner: 1, named: true });
    const counts = { unglued: 1, headRests: 2, malformed: 3 };
    await runner.write(countedLines("line", 2), { counts });
    const sidecar = await logs.stream({ pod: "runner", runner: 1, container: "agent", restart: 1, named: true });
    await sidecar.write([], { gaps: [{ seq: 0, reason: "late_start", certain: true }] });
    await sidecar.seal({ verified: "suffix", verifiedBy: "node", truncated: "the pod was deleted" });
    await logs.stream({ pod: "first", role: "initializer", runner: null });
    const fields = { teamId: team.id, runId: run.id };
    const { json } = await api.rest(streams, fields, team.tokens.viewer);
    const runnerPod = { pod: "runner", restart: 0, role: "runner", runner: 1 };
    const unread = { verified: null, verifiedBy: null, unglued: 0, headRests: 0, malformed: 0, unjoined: 0 };
    const growing = { ...unread, source: "api", bytes: 0, gaps: 0, sealed: false, sha256: null };
    const verified = { verified: "suffix", verifiedBy: "node", sha256: "5a".repeat(32) };
    const ended = { ...growing, ...verified, sealed: true, truncated: "the pod was deleted" };
    const kept = { truncated: null, expired: false };
    expect(json).toEqual({
      items: [
        {
          pod: "first",
          container: "k6",
          restart: 0,
          role: "initializer",
          runner: null,
          ...growing,
          source: null,
          lines: 0,
          ...kept,
        },
        { ...runnerPod, container: "k6", ...growing, ...counts, lines: 2, bytes: 14, ...kept },
        { ...runnerPod, container: "agent", restart: 1, ...kept, ...ended, lines: 0, gaps: 1 },
      ],
      nextCursor: null,
    });
    expect((await api.trpc(streams, fields, ADMIN)).json.result.data).toEqual(json);
  });
});

describe("a page", () => {
  it("merges the containers by time, and never breaks a container's own order", async () => {
    const { id, whole } = await mixedRun();
    for (const pod of ["init", "one", "two"]) {
      const own = whole.filter((item) => item.startsWith(`${pod}/`));
      const seqs = own.map((item) => Number(/\/(\d+) /.exec(item)![1]));
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    }
    expect(whole.slice(0, 5)).toEqual([
      "init/0 level=info prepare 0",
      "init/1 level=info prepare 1",
      "init/2 level=info prepare 2",
      "one/0 level=error one 0",
      "two/0 two 0",
    ]);
    expect(whole).toContain("two/10 gap rotated");
    expect(whole.indexOf("two/10 gap rotated")).toBe(whole.indexOf("two/10 two later 0") - 1);
    expect(whole.filter((item) => item.startsWith("two/15"))).toEqual([
      "two/15 gap source_changed",
      "two/15 end the pod was deleted",
    ]);
    expect((await ask(id, { limit: 1000 })).nextCursor).toBeNull();
  });

  it("shows a line's time, level and stream, and a gap's reason", async () => {
    const { id } = await mixedRun();
    const { items } = await ask(id, { pods: ["one", "two"], limit: 1000 });
    expect(items.find((item: Json) => item.pod === "one" && item.seq === 2)).toEqual({
      kind: "line",
      pod: "one",
      container: "k6",
      restart: 0,
      role: "runner",
      runner: 1,
      seq: 2,
      time: "2026-11-24T10:00:00.009000000Z",
      level: "info",
      stream: "stderr",
      line: "level=info one 2",
    });
    expect(items.find((item: Json) => item.kind === "gap")).toEqual({
      kind: "gap",
      pod: "two",
      container: "k6",
      restart: 0,
      role: "runner",
      runner: 2,
      seq: 10,
      reason: "rotated",
      certain: true,
      from: "2026-11-24T10:00:00.000000000Z",
      until: null,
      text: "lines are missing here, after 2026-11-24T10:00:00.000000000Z: the kubelet rotated the log away before it was read",
    });
  });

  it("gives the bytes of a line that is no text", async () => {
    const run = await makeRun(api, team);
    const stream = await (await RunLogs.of(api, run)).stream();
    await stream.write(
      [
        { line: "ünïcode \0 and \u2028", time: T0 },
        { line: Uint8Array.of(0x61, 0xff, 0x00), time: T0 },
        { line: "rest", time: T0, flags: UNFINISHED },
      ],
      { standardStreams: false },
    );
    const { items } = await ask(run.id);
    expect(items.map(({ line, base64, unfinished, stream: own }: Json) => ({ line, base64, unfinished, own }))).toEqual(
      [
        { line: "ünïcode \0 and \u2028", own: null },
        { line: "a\ufffd\0", base64: "Yf8A", own: null },
        { line: "rest", unfinished: true, own: null },
      ],
    );
  });

  it("is the same in parts of any size, both ways, with any filter and context", async () => {
    const { id, whole } = await mixedRun();
    const forward = await all(id, { limit: 4 });
    expect(forward.items).toEqual(whole);
    expect(forward.pages).toBeGreaterThan(8);
    expect((await all(id, { limit: 4, direction: "backward" })).items).toEqual(whole);
    const filters = fc.record(
      {
        include: fc.constantFrom(["level=error"], ["1"], ["later", "prepare"]),
        levels: fc.constantFrom(["error"], ["info", "none"]),
        pods: fc.constantFrom(["one"], ["two", "init"]),
        before: fc.nat(3),
        after: fc.nat(3),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(filters, fc.integer({ min: 1, max: 7 }), async (filter, limit) => {
        const expected = await shown(id, { ...filter, limit: 1000 });
        const pages = await all(id, { ...filter, limit });
        const back = await all(id, { ...filter, limit, direction: "backward" });
        // Context is on the page of its match, and a truncation of which a page shows no other line at the page's end.
        const moves = (item: string) => item.startsWith("~") || item.includes(" end ");
        const rest = (items: string[]) => items.filter((item) => !moves(item));
        const ofPod = (items: string[], pod: string) => items.filter((item) => /^~?(\w+)\//.exec(item)![1] === pod);
        for (const { items } of [pages, back]) {
          expect(rest(items)).toEqual(rest(expected));
          for (const pod of ["init", "one", "two"]) expect(ofPod(items, pod)).toEqual(ofPod(expected, pod));
        }
      }),
      { numRuns: 15, examples: [[{ levels: ["error"], before: 3 }, 1]] },
    );
  }, 120_000);

  it("turns round at a cursor", async () => {
    const { id, whole } = await mixedRun();
    const first = await ask(id, { limit: 7 });
    const second = await ask(id, { limit: 7, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map(show)).toEqual(
      whole.slice(0, first.items.length + second.items.length),
    );
    const back = await ask(id, { limit: 7, cursor: second.previousCursor, direction: "backward" });
    expect(back.items).toEqual(first.items);
    expect([first.previousCursor, back.previousCursor]).toEqual([null, null]);
    expect(await shown(id, { limit: 7, cursor: back.nextCursor })).toEqual(second.items.map(show));
  });

  it("goes on where a run goes on, and ends where it has ended", async () => {
    const run = await makeRun(api, team);
    expect(await ask(run.id)).toMatchObject({ items: [], nextCursor: expect.any(String), previousCursor: null });
    const logs = await RunLogs.of(api, run);
    const one = await logs.stream({ pod: "one" });
    await one.write(countedLines("a", 2));
    const first = await ask(run.id);
    expect([first.items.map(show), first.complete]).toEqual([["one/0 a 0", "one/1 a 1"], true]);
    const none = await ask(run.id, { cursor: first.nextCursor });
    expect(none.items).toEqual([]);
    await one.write(countedLines("b", 1, T0 + 5n * MS));
    const two = await logs.stream({ pod: "two" });
    await two.write(countedLines("late", 1));
    // Also a line that is older than what was read is shown, and what a container is said to lack.
    const second = await ask(run.id, { cursor: none.nextCursor });
    expect(second.items.map(show)).toEqual(["two/0 late 0", "one/2 b 0"]);
    await one.seal();
    await two.seal({ truncated: "gone" });
    const third = await ask(run.id, { cursor: second.nextCursor });
    expect(third.items.map(show)).toEqual(["two/1 end gone"]);
    expect(third.nextCursor).not.toBeNull();
    await logs.end();
    expect(await ask(run.id, { cursor: third.nextCursor })).toMatchObject({ items: [], nextCursor: null });
  });

  it("can begin at the end, and hold on to it", async () => {
    const run = await makeRun(api, team);
    const one = await (await RunLogs.of(api, run)).stream({ pod: "one" });
    await one.write(countedLines("a", 5));
    const last = await ask(run.id, { direction: "backward", limit: 2 });
    expect(last.items.map(show)).toEqual(["one/3 a 3", "one/4 a 4"]);
    await one.write(countedLines("b", 1, T0 + 9n * MS));
    expect(await shown(run.id, { cursor: last.nextCursor })).toEqual(["one/5 b 0"]);
  });

  it("lies between two times, both ways", async () => {
    const run = await makeRun(api, team);
    const one = await (await RunLogs.of(api, run)).stream({ pod: "one" });
    await one.write(countedLines("a", 10), { linesPerChunk: 4 });
    const from = "2026-11-24T11:00:00.003+01:00";
    const until = "2026-11-24T10:00:00.007000000Z";
    const between = ["one/3 a 3", "one/4 a 4", "one/5 a 5", "one/6 a 6"];
    for (const direction of ["forward", "backward"]) {
      const single = await ask(run.id, { from, until, direction });
      expect(single.items.map(show)).toEqual(between);
    }
    const back = await all(run.id, { from, until, direction: "backward", limit: 3 });
    expect(back).toEqual({ items: between, pages: 2 });
    expect(await shown(run.id, { from })).toHaveLength(7);
    expect(await shown(run.id, { until })).toHaveLength(7);
    expect(await shown(run.id, { until, direction: "backward", limit: 1 })).toEqual(["one/6 a 6"]);
    expect(await shown(run.id, { from: "9999-12-31T00:00:00Z" })).toEqual([]);
  });
});

describe("the filter", () => {
  let id: string;
  beforeAll(async () => {
    const run = await makeRun(api, team);
    const logs = await RunLogs.of(api, run);
    const lines = ["level=info Alpha", "level=warning beta", "level=error ALPHA beta", "no level", "level=info gamma"];
    const one = await logs.stream({ pod: "one", runner: 1, named: true });
    await one.write(lines.map((line, at) => ({ line, time: T0 + BigInt(at) * MS })));
    const agent = await logs.stream({ pod: "one", runner: 1, container: "agent", named: true });
    await agent.write([{ line: "agent", time: T0 + 10n * MS }]);
    const two = await logs.stream({ pod: "two", runner: 2 });
    await two.write([{ line: "alpha of two", time: T0 + 11n * MS }]);
    id = run.id;
  });

  it.each<[Record<string, unknown>, number[]]>([
    [{ include: "beta" }, [1, 2]],
    [{ include: ["Alpha", "gamma"] }, [0, 4]],
    [{ include: ["alpha"], ignoreCase: true, pods: ["one"] }, [0, 2]],
    [{ includeRegex: "^no|A$" }, [3]],
    [{ include: ["gamma"], includeRegex: ["^level=warn"] }, [1, 4]],
    [{ exclude: ["level=info"], pods: ["one"], containers: ["k6"] }, [1, 2, 3]],
    [{ excludeRegex: ["a$"], pods: ["one"], containers: ["k6"] }, [3]],
    [{ levels: ["warning", "error"] }, [1, 2]],
    [{ levels: "none", containers: ["k6"], runners: 1 }, [3]],
  ])("%j", async (input, seqs) => {
    const { items } = await refusal(id, input).then(({ json }) => json);
    expect(items.map(({ seq }: Json) => seq)).toEqual(seqs);
  });

  it("selects containers", async () => {
    expect(await shown(id, { containers: ["agent"] })).toEqual(["one/0 agent"]);
    expect(await shown(id, { runners: [2] })).toEqual(["two/0 alpha of two"]);
    expect(await shown(id, { pods: ["nobody"] })).toEqual([]);
    expect(await shown(id, { roles: ["starter", "other"] })).toEqual([]);
  });

  it("shows what stands beside a match", async () => {
    expect(await shown(id, { include: ["ALPHA"], before: 1, after: 2 })).toEqual([
      "~one/1 level=warning beta",
      "one/2 level=error ALPHA beta",
      "~one/3 no level",
      "~one/4 level=info gamma",
    ]);
  });

  it("counts what it looked at", async () => {
    expect(await ask(id, { include: ["nothing of that"] })).toMatchObject({ items: [], scanned: 7, complete: true });
  });
});

describe("a bad input", () => {
  let id: string;
  let foreign: string;
  beforeAll(async () => {
    id = (await makeRun(api, team)).id;
    foreign = (await ask((await makeRun(api, team)).id)).nextCursor;
  });

  const long = "x".repeat(501);
  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ limit: 0 }, "limit", /^limit must be an integer from 1 to 1000$/],
    [{ limit: 1001 }, "limit", /from 1 to 1000$/],
    [{ limit: "many" }, "limit", /from 1 to 1000$/],
    [{ before: 51 }, "before", /^before must be an integer from 0 to 50$/],
    [{ after: -1 }, "after", /^after must be an integer from 0 to 50$/],
    [{ direction: "sideways" }, "direction", /^direction must be one of forward, backward$/],
    [{ ignoreCase: "perhaps" }, "ignoreCase", /^ignoreCase must be true or false$/],
    [{ levels: "loud" }, "levels.0", /^levels must be one of trace, debug, info, warning, error, fatal, none$/],
    [{ roles: "stopper" }, "roles.0", /^roles must be one of initializer, starter, runner, init, other$/],
    [{ runners: [1, 11] }, "runners.1", /^runners must be an integer from 1 to 10$/],
    [{ include: Array(11).fill("a") }, "include", /^include must be a list of at most 10 items$/],
    [{ includeRegex: long }, "includeRegex.0", /^includeRegex must have 1 to 500 characters, got 501$/],
    [{ exclude: "" }, "exclude.0", /^exclude must have 1 to 500 characters, got 0$/],
    [{ excludeRegex: ["a", "("] }, "excludeRegex.1", /^excludeRegex\.1 must be a regular expression/],
    [{ exclude: ["a"], excludeRegex: "[" }, "excludeRegex.0", /^excludeRegex\.0 must be a regular expression/],
    [{ from: "noon" }, "from", /^from must be a time with an offset and at most 9 fraction digits/],
    [{ from: "2026-11-24T10:00:00Z", until: "2026-11-24T10:00:00Z" }, "until", /^until must be later than from$/],
    [{ cursor: "nonsense" }, "cursor", /^cursor must be one that a page of this test run's logs has given$/],
    [{ cursor: ["a", "b"] }, "cursor", /^cursor must be a string of 1 to 1000 characters$/],
    [{ unknown: "x" }, "unknown", /^unknown field "unknown"$/],
  ])("%j names the field and its limit", async (input, path, message) => {
    const { status, json } = await refusal(id, input);
    expect([status, json.code]).toEqual([400, "BAD_REQUEST"]);
    expect(json.issues).toEqual([{ path, message: expect.stringMatching(message) }]);
  });

  it("is an empty list of what to show", async () => {
    const { json } = await api.trpc(page, { teamId: team.id, runId: id, pods: [], levels: [] }, ADMIN);
    expect(json.error.data.issues).toEqual([
      { path: "pods", message: "pods must be a list of 1 to 100 items" },
      { path: "levels", message: "levels must be a list of 1 to 7 items" },
    ]);
  });

  it("is another run's cursor", async () => {
    const { status, json } = await refusal(id, { cursor: foreign });
    expect([status, json.issues[0].path]).toEqual([400, "cursor"]);
  });

  it("is an expression that never ends", async () => {
    const run = await makeRun(api, team);
    const one = await (await RunLogs.of(api, run)).stream();
    await one.write([{ line: `${"a".repeat(60)}!`, time: T0 }]);
    const { status, json } = await refusal(run.id, { include: ["b"], includeRegex: ["x", "^(a+)+$"] });
    expect(status).toBe(400);
    expect(json.issues).toEqual([{ path: "includeRegex.1", message: expect.stringMatching(/^includeRegex\.1 must /) }]);
  });

  it("is a run that the team does not have", async () => {
    const other = await makeTeam(api, "other");
    const { status, json } = await api.rest(page, { teamId: other.id, runId: id }, other.tokens.viewer);
    expect([status, json.detail]).toEqual([404, `test run "${id}" not found`]);
  });
});

describe("bounds", () => {
  it("has 4 MiB of lines at most, and goes on with a cursor", async () => {
    const run = await makeRun(api, team);
    const one = await (await RunLogs.of(api, run)).stream();
    const large = "x".repeat(700_000);
    await one.write(Array.from({ length: 12 }, (_, at) => ({ line: `${at} ${large}`, time: T0 + BigInt(at) })));
    const first = (await refusal(run.id, { limit: 100 })).json;
    expect(first.items.map(({ seq }: Json) => seq)).toEqual([0, 1, 2, 3, 4]);
    expect(first.complete).toBe(false);
    const second = (await refusal(run.id, { limit: 100, cursor: first.nextCursor })).json;
    expect(second.items.map(({ seq }: Json) => seq)).toEqual([5, 6, 7, 8, 9]);
    const last = (await refusal(run.id, { limit: 100, direction: "backward" })).json;
    expect(last.items.map(({ seq }: Json) => seq)).toEqual([7, 8, 9, 10, 11]);
    const context = (await refusal(run.id, { include: "6 x", before: 6, after: 5 })).json;
    expect(context.items.map(({ seq }: Json) => seq)).toEqual([6]);
  });

  it("refuses to stand in more containers than a cursor has room for, and says what to select", async () => {
    const run = await makeRun(api, team);
    const logs = await RunLogs.of(api, run);
    for (let restart = 0; restart < 380; restart++) {
      const stream = await logs.stream({ pod: restart < 10 ? "few" : "many", container: `c-${restart}` });
      await stream.write(countedLines("line", 100, T0 + BigInt(restart)));
    }
    const { status, json } = await refusal(run.id, { from: "2026-11-24T10:00:00.07Z", limit: 1 });
    expect([status, json.issues[0].path]).toEqual([400, "pods"]);
    const few = await ask(run.id, { from: "2026-11-24T10:00:00.07Z", limit: 1, pods: ["few"] });
    expect(few.items).toHaveLength(1);
  }, 120_000);
});

describe("expired logs", () => {
  it("are said to be deleted, and are no empty page", async () => {
    const run = await makeRun(api, team);
    const logs = await RunLogs.of(api, run);
    const one = await logs.stream();
    await one.write(countedLines("a", 5));
    await one.seal();
    await logs.end();
    await api.store.dropDaysBefore("2099-01-01");
    const { status, json } = await refusal(run.id, {});
    expect([status, json.detail]).toEqual([404, `the logs of test run "${run.id}" were deleted because of their age`]);
    const listed = await api.rest(streams, { teamId: team.id, runId: run.id }, ADMIN);
    expect(listed.json.items).toMatchObject([{ lines: 5, expired: true }]);
  });
});
