import type { Gap, StreamRecord } from "@tailrace/core";
import { describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../src/database.ts";
import { openStore } from "../../src/index.ts";
import { commitLogs } from "../../src/logs/commit/commit-logs.ts";
import { id, query, quiet, sharedStore } from "../support.ts";
import {
  claimRun,
  countedLines,
  instance,
  NO_COUNTS,
  readAllTexts,
  T0,
  takeStep,
  TestWriter,
  texts,
} from "./support.ts";

const fixture = sharedStore();

const readTexts = (stream: StreamRecord): Promise<string[]> => readAllTexts(fixture.store, stream);

describe("openStream", () => {
  test("makes a stream once, with the next place in its run", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const open = { stepId: step.id, fence: step.fence };
    const first = await store.openStream({ ...open, instance: instance() });
    expect(first).toEqual<StreamRecord>({
      id: expect.any(Number) as number,
      day: step.createdAt.toISOString().slice(0, 10),
      stepId: step.id,
      instance: instance(),
      fence: step.fence,
      nextSeq: 0,
      bytes: 0,
      gaps: 0,
      maxTime: null,
      position: null,
      counts: NO_COUNTS,
      seal: null,
    });
    expect(await store.openStream({ ...open, instance: instance() })).toEqual(first);
    const second = await store.openStream({ ...open, instance: instance({ restart: 1, runner: null, role: "init" }) });
    expect(await store.listStreams(step.id)).toEqual([first, second]);
  });

  test("of many at the same time each has its own place", async () => {
    const { store } = fixture;
    const { step, team, runId } = await claimRun(fixture);
    const names = Array.from({ length: 16 }, (_, index) => `c${index}`);
    const open = (container: string) =>
      store.openStream({ stepId: step.id, fence: step.fence, instance: instance({ container }) });
    const opened = await Promise.all([...names, ...names].map(open));
    expect(new Set(opened.map((record) => record?.id)).size).toBe(16);
    const listed = await store.listLogStreams(team, runId);
    expect(listed?.map(({ ordinal }) => ordinal)).toEqual(names.map((_, index) => index));
  });

  test("is for the holder of the step alone", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const open = (fence: number) => store.openStream({ stepId: step.id, fence, instance: instance() });
    expect(await open(step.fence + 1)).toBeNull();
    expect(await open(step.fence - 1)).toBeNull();
    expect(await open(step.fence)).not.toBeNull();
    const taken = await takeStep(fixture, step.id);
    expect(await open(step.fence)).toBeNull();
    expect(await open(taken)).toMatchObject({ fence: taken });
    expect(await store.openStream({ stepId: id(), fence: 1, instance: instance() })).toBeNull();
  });

  test("gives where the former holder came to, also with a commit under way", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    await writer.write(countedLines("line", 3));
    const taken = await takeStep(fixture, step.id);
    const commit = await writer.commit(countedLines("late", 500, 3));
    const [outcomes, record] = await Promise.all([
      store.commitLogs([commit]),
      store.openStream({ stepId: step.id, fence: taken, instance: instance() }),
    ]);
    expect(record?.nextSeq).toBe(outcomes[0] === "committed" ? 503 : 3);
    expect(await store.commitLogs([commit])).toEqual(["lost"]);
  });

  test("makes the day's partitions where nobody did, and gives no stream of a day that was dropped", async () => {
    const { store, url } = fixture;
    const { step } = await claimRun(fixture);
    await query(url, "update test_runs set created_at = now() - interval '5 days'");
    expect(await store.openStream({ stepId: step.id, fence: step.fence, instance: instance() })).toBeNull();
    const [row] = await query(url, "select expired_at is not null as expired from log_streams");
    expect(row).toEqual({ expired: true });
    await query(url, "update test_runs set created_at = now() - interval '1 day'");
    const yesterday = await TestWriter.open(fixture, step, { restart: 1 });
    await yesterday.write(countedLines("line", 1));
  });
});

describe("commitLogs", () => {
  test("writes chunks, gaps, position and counts of many streams at once", async () => {
    const { store } = fixture;
    const { step, team, runId } = await claimRun(fixture);
    const a = await TestWriter.open(fixture, step, { restart: 0 });
    const b = await TestWriter.open(fixture, step, { restart: 1 });
    const c = await TestWriter.open(fixture, step, { restart: 2 });
    const gap: Gap = { seq: 2, reason: "rotated", certain: true, from: T0, until: null };
    const position = {
      source: "node",
      file: "0.log.20261124-100000",
      place: { offset: 12_345, entryBytes: 99, entryHash: "abcdef" },
      pending: [{ stderr: true, seconds: 1, nanos: 2, bytes: new Uint8Array([0, 255, 10]) }],
    } as const;
    const counts = { unglued: 1, headRests: 2, malformed: 3 };
    const commits = [
      {
        ...(await a.commit(countedLines("a", 5), { gaps: [gap], linesPerChunk: 2 })),
        position: { ...position, pending: [...position.pending] },
        counts,
      },
      await b.commit(countedLines("b", 3)),
      await c.commit([]),
    ];
    expect(await store.commitLogs(commits)).toEqual(["committed", "committed", "committed"]);
    const [recordA, recordB, recordC] = await store.listStreams(step.id);
    expect(recordA).toMatchObject({ nextSeq: 5, maxTime: T0 + 4_000_000n, position, counts });
    expect(recordB).toMatchObject({ nextSeq: 3, maxTime: T0 + 2_000_000n, position: { source: "api" } });
    expect(recordC).toMatchObject({ nextSeq: 0, maxTime: null, position: { source: "api" } });
    expect(await readTexts(recordA!)).toEqual(["a 0", "a 1", "a 2", "a 3", "a 4"]);
    expect(await readTexts(recordB!)).toEqual(["b 0", "b 1", "b 2"]);
    expect(await store.listGaps(recordA!)).toEqual([gap]);
    expect(await store.listGaps(recordB!)).toEqual([]);
    expect(await store.listLogStreams(team, runId)).toMatchObject([
      { source: "node", lines: 5, bytes: 20, gaps: 1 },
      { source: "api", lines: 3, bytes: 12, gaps: 0 },
      { source: "api", lines: 0, bytes: 0, gaps: 0 },
    ]);
  });

  test("gives every chunk back as it was", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    const lines = countedLines("level=error msg=x", 5000).map((line, index) => ({ ...line, flags: index % 4 }));
    const commit = await writer.commit(lines, { linesPerChunk: 1500 });
    expect(commit.chunks.map((chunk) => chunk.codec)).toContain("zstd");
    await store.commitLogs([commit]);
    const read = [];
    for await (const chunk of store.readChunks(writer.record)) read.push({ ...chunk, data: Buffer.from(chunk.data) });
    expect(read).toEqual(commit.chunks.map((chunk) => ({ ...chunk, data: Buffer.from(chunk.data) })));
  });

  test("a commit whose answer was lost may be repeated, alone or with what followed it", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    const gap: Gap = { seq: 3, reason: "spool_full", certain: true, from: null, until: null };
    const first = await writer.commit(countedLines("line", 3));
    expect(await store.commitLogs([first])).toEqual(["committed"]);
    expect(await store.commitLogs([first])).toEqual(["committed"]);
    await writer.refresh();
    const onlyGap = await writer.commit([], { gaps: [gap] });
    expect(await store.commitLogs([onlyGap])).toEqual(["committed"]);
    expect(await store.commitLogs([onlyGap])).toEqual(["committed"]);
    const next = await writer.commit(countedLines("line", 2, 3));
    expect(await store.commitLogs([next])).toEqual(["committed"]);
    for (const commit of [first, onlyGap, next]) expect(await store.commitLogs([commit])).toEqual(["committed"]);
    await writer.refresh();
    expect(await readTexts(writer.record)).toEqual(texts(countedLines("line", 5)));
    expect(await store.listGaps(writer.record)).toEqual([gap]);
    expect(await query(fixture.url, "select gaps, next_seq::int as next from log_streams")).toEqual([
      { gaps: 1, next: 5 },
    ]);
  });

  test("the same commit twice at the same time is written once", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    const commit = await writer.commit(countedLines("line", 2000), { linesPerChunk: 100 });
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => store.commitLogs([commit])));
    expect(outcomes.flat()).toEqual(Array(6).fill("committed"));
    await writer.refresh();
    expect(await readTexts(writer.record)).toEqual(texts(countedLines("line", 2000)));
  });

  test("what does not begin where the stream stands is lost, and keeps nothing else from being written", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const [a, b, gone] = [
      await TestWriter.open(fixture, step, { restart: 0 }),
      await TestWriter.open(fixture, step, { restart: 1 }),
      await TestWriter.open(fixture, step, { restart: 2 }),
    ];
    await a.write(countedLines("a", 5));
    const early = { ...(await b.commit(countedLines("b", 3))), stream: a.record };
    const late = { ...(await b.commit([])), stream: a.record, fence: a.record.fence, firstSeq: 7 };
    const none = { ...(await gone.commit(countedLines("x", 1))), stream: { id: 999_999_999, day: a.record.day } };
    const newer = { ...(await a.commit(countedLines("a", 1, 5))), fence: a.record.fence + 1 };
    const good = await b.commit(countedLines("b", 3));
    expect(await store.commitLogs([{ ...early, fence: 77 }, late, none, newer, good])).toEqual([
      "lost",
      "lost",
      "lost",
      "lost",
      "committed",
    ]);
    expect(await readTexts(a.record)).toHaveLength(5);
  });

  test("a sealed stream takes nothing more", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    const last = await writer.commit(countedLines("line", 2));
    await store.commitLogs([last]);
    expect(await writer.seal({ bytes: 14 })).toBe(true);
    await writer.refresh();
    expect(await store.commitLogs([await writer.commit(countedLines("more", 1, 2))])).toEqual(["lost"]);
    expect(await store.commitLogs([await writer.commit([])])).toEqual(["lost"]);
    expect(await store.commitLogs([last])).toEqual(["committed"]);
  });

  test("refuses what is no batch", async () => {
    const { store } = fixture;
    const { step } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    const commit = await writer.commit(countedLines("line", 4), { linesPerChunk: 2 });
    await expect(store.commitLogs([commit, commit])).rejects.toThrow(RangeError);
    await expect(store.commitLogs([{ ...commit, chunks: commit.chunks.toReversed() }])).rejects.toThrow(RangeError);
    await expect(store.commitLogs([{ ...commit, firstSeq: 1 }])).rejects.toThrow(RangeError);
    expect(await store.commitLogs([])).toEqual([]);
  });

  test("wakes every store once for each run with news, and not for a position alone", async () => {
    const { store, url } = fixture;
    await using other = await openStore({ databaseUrl: url, log: quiet });
    const heard: string[] = [];
    other.onLogsWritten((runId) => heard.push(runId));
    const one = await claimRun(fixture);
    const two = await claimRun(fixture);
    const writers = [
      await TestWriter.open(fixture, one.step, { restart: 0 }),
      await TestWriter.open(fixture, one.step, { restart: 1 }),
      await TestWriter.open(fixture, two.step),
    ];
    await store.commitLogs(await Promise.all(writers.map((writer) => writer.commit([]))));
    await store.commitLogs(await Promise.all(writers.map((writer) => writer.commit(countedLines("line", 1)))));
    await vi.waitFor(() => expect(heard.toSorted()).toEqual([one.runId, two.runId].toSorted()));
    await writers[2]!.seal({ bytes: 7 });
    await vi.waitFor(() => expect(heard).toHaveLength(3));
    expect(heard[2]).toBe(two.runId);
  });

  test("streams of a partition that went meanwhile do not keep the others from being written", async () => {
    const { store, url } = fixture;
    const old = await claimRun(fixture);
    const oldStream = await TestWriter.open(fixture, old.step);
    await query(url, "update log_streams set day = '2020-01-01'");
    const writer = await TestWriter.open(fixture, (await claimRun(fixture)).step);
    const commits = [
      { ...(await oldStream.commit(countedLines("old", 1))), stream: { id: oldStream.record.id, day: "2020-01-01" } },
      await writer.commit(countedLines("line", 1)),
    ];
    expect(await store.commitLogs(commits)).toEqual(["lost", "committed"]);
  });

  test("a stream's row is changed in its page: a commit touches no index", async () => {
    const { step } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    // One connection, since each one reports what it did in its own time.
    const database = openDatabase({ databaseUrl: fixture.url, log: quiet, poolSize: 1 });
    for (let i = 0; i < 50; i++) {
      expect(await commitLogs(database.pool, [await writer.commit(countedLines("line", 1))])).toEqual(["committed"]);
      writer.record = { ...writer.record, nextSeq: i + 1 };
    }
    await database.pool.query("select pg_stat_force_next_flush()");
    await database.close();
    const [row] = await query(
      fixture.url,
      "select n_tup_upd::int as all, n_tup_hot_upd::int as hot from pg_stat_user_tables where relname = 'log_streams'",
    );
    expect(Number(row!["all"])).toBeGreaterThanOrEqual(50);
    expect(Number(row!["hot"])).toBeGreaterThanOrEqual(Number(row!["all"]) * 0.9);
  });
});

describe("sealStream", () => {
  test("ends a stream where it stands, once", async () => {
    const { store } = fixture;
    const { step, team, runId } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    await writer.write(countedLines("line", 2));
    const { record } = writer;
    const seal = {
      lines: 2,
      bytes: 14,
      sha256: "ab".repeat(32),
      verified: "suffix",
      verifiedBy: "api",
      truncated: null,
    } as const;
    expect(await store.sealStream(record, record.fence, { ...seal, lines: 1 })).toBe(false);
    expect(await store.sealStream(record, record.fence, { ...seal, bytes: 13 })).toBe(false);
    expect(await store.sealStream(record, record.fence + 1, seal)).toBe(false);
    expect(await store.sealStream(record, record.fence, seal)).toBe(true);
    expect(await store.sealStream(record, record.fence, seal)).toBe(true);
    expect(await store.sealStream(record, record.fence, { ...seal, sha256: "cd".repeat(32) })).toBe(false);
    expect((await store.listStreams(step.id))[0]?.seal).toEqual(seal);
    expect(await store.listLogStreams(team, runId)).toMatchObject([
      { sealed: true, verified: "suffix", sha256: seal.sha256, truncated: null },
    ]);
  });
});
