import type { Gap, LogEntry, LogLine, LogPageQuery, LogStream } from "@tailrace/core";
import { describe, expect, test } from "vitest";
import { endRun, id, makeTeam, query, sharedStore } from "../support.ts";
import {
  ALL,
  claimRun,
  countedLines,
  pageQuery,
  regex,
  searchQuery,
  show,
  storeLines,
  streamsOf,
  substring,
  T0,
  TestWriter,
} from "./support.ts";

const fixture = sharedStore();
const never = new AbortController().signal;

describe("listLogStreams", () => {
  test("is of the team's own run, and empty before anything was read", async () => {
    const { store } = fixture;
    const { team, runId, step } = await claimRun(fixture);
    expect(await store.listLogStreams(team, runId)).toEqual([]);
    expect(await store.listLogStreams(await makeTeam(store), runId)).toBeNull();
    expect(await store.listLogStreams(team, id())).toBeNull();
    await TestWriter.open(fixture, step, {
      pod: "p",
      podUid: "u",
      container: "c",
      role: "init",
      runner: null,
      named: true,
    });
    expect(await store.listLogStreams(team, runId)).toEqual<LogStream[]>([
      {
        id: expect.any(Number) as number,
        day: step.createdAt.toISOString().slice(0, 10),
        ordinal: 0,
        stepId: step.id,
        pod: "p",
        container: "c",
        restart: 0,
        role: "init",
        runner: null,
        named: true,
        source: null,
        lines: 0,
        bytes: 0,
        gaps: 0,
        sealed: false,
        verified: null,
        verifiedBy: null,
        sha256: null,
        counts: { unglued: 0, headRests: 0, malformed: 0 },
        unjoined: 0,
        truncated: null,
        expired: false,
      },
    ]);
  });
});

describe("readLogPage", () => {
  test("gives lines with all that is known of them, and gaps before the line behind them", async () => {
    const gap: Gap = { seq: 1, reason: "late_start", certain: true, from: null, until: T0 + 5n };
    const bytes = new Uint8Array([0, 0xff, 0x0d]);
    const streams = await storeLines(
      fixture,
      [
        [
          { text: 'time="2026-11-23T16:22:29Z" level=warning msg=x', time: T0 + 7n, flags: 1 },
          { text: bytes, time: T0 + 5n, flags: 2 },
        ],
        { gaps: [gap] },
      ],
      [[{ text: "plain", time: T0 + 6n, flags: 0 }], { standardStreams: false }],
    );
    const page = await fixture.store.readLogPage(pageQuery(streams), never);
    const line = (change: Partial<LogLine>): LogLine => ({
      kind: "line",
      ordinal: 0,
      seq: 0,
      time: T0,
      level: null,
      standardStream: "stdout",
      unfinished: false,
      bytes: new Uint8Array(),
      context: false,
      ...change,
    });
    expect(page).toEqual({
      entries: [
        line({ ordinal: 1, time: T0 + 6n, standardStream: null, bytes: new Uint8Array(Buffer.from("plain")) }),
        line({
          time: T0 + 7n,
          level: "warning",
          standardStream: "stderr",
          bytes: new Uint8Array(Buffer.from('time="2026-11-23T16:22:29Z" level=warning msg=x')),
        }),
        { kind: "gap", ordinal: 0, ...gap },
        line({ seq: 1, time: T0 + 5n, unfinished: true, bytes }),
      ],
      start: [0, 0],
      end: [2, 1],
      complete: true,
      atEnd: true,
      scanned: 3,
    });
  });

  test("counts places by ordinal, whichever streams are wanted, and leaves the others' where they are", async () => {
    const streams = await storeLines(fixture, [countedLines("a", 3)], [countedLines("b", 3)], [countedLines("c", 3)]);
    const wanted = pageQuery([streams[1]!], { start: { place: [1, 1, 2, 9] } });
    const page = await fixture.store.readLogPage(wanted, never);
    expect(page.entries.map(show)).toEqual(["1:1 b 1", "1:2 b 2"]);
    expect(page).toMatchObject({ start: [1, 1, 2, 9], end: [1, 3, 2, 9], atEnd: true });
  });

  test("shows each gap at a stream's end once, also to who asks again and again", async () => {
    const { store } = fixture;
    const { step, team, runId } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    await writer.write(countedLines("line", 2), {
      gaps: [{ seq: 2, reason: "rotated", certain: false, from: T0, until: null }],
    });
    const read = async (start: LogPageQuery["start"]): Promise<{ shown: string[]; end: readonly number[] }> => {
      const page = await store.readLogPage(pageQuery(await streamsOf(fixture, team, runId), { start }), never);
      return { shown: page.entries.map(show), end: page.end };
    };
    const before = await read("begin");
    expect(before).toEqual({ shown: ["0:0 line 0", "0:1 line 1"], end: [2] });
    await writer.seal({ bytes: 14 });
    const sealed = await read({ place: before.end });
    expect(sealed.shown).toEqual(["0:2 gap rotated"]);
    expect((await read({ place: sealed.end })).shown).toEqual([]);
    expect((await read("begin")).shown).toEqual(["0:0 line 0", "0:1 line 1", "0:2 gap rotated"]);
  });

  test("goes on with what was written behind a place", async () => {
    const { store } = fixture;
    const { step, team, runId } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    await writer.write(countedLines("line", 2));
    const streams = await streamsOf(fixture, team, runId);
    const first = await store.readLogPage(pageQuery(streams), never);
    await writer.write(countedLines("line", 2, 2));
    const late = await TestWriter.open(fixture, step, { restart: 1 });
    await late.write(countedLines("late", 1));
    const now = await streamsOf(fixture, team, runId);
    const second = await store.readLogPage(pageQuery(now, { start: { place: first.end } }), never);
    expect(second.entries.map(show)).toEqual(["1:0 late 0", "0:2 line 2", "0:3 line 3"]);
  });

  test("ends a page whose lines are too large, and says that there may be more", async () => {
    const large = "x".repeat(900_000);
    const streams = await storeLines(fixture, [
      Array.from({ length: 20 }, (_, i) => ({ text: large, time: T0 + BigInt(i) })),
    ]);
    const page = await fixture.store.readLogPage(pageQuery(streams), never);
    expect(page.entries).toHaveLength(9);
    expect(page).toMatchObject({ complete: false, atEnd: false, end: [9] });
    const filter = substring("xxx");
    const one = await fixture.store.readLogPage(pageQuery(streams, { filter, limit: 1, after: 2 }), never);
    expect(one.entries).toHaveLength(1);
  });

  test("a page of matches with much context around them has fewer of them", async () => {
    const lines = Array.from({ length: 300 }, (_, i) => ({
      text: `${i % 10 === 0 ? "hit" : "miss"} ${"x".repeat(100_000)}`,
      time: T0 + BigInt(i),
    }));
    const streams = await storeLines(fixture, [lines, { linesPerChunk: 20 }]);
    const wanted = pageQuery(streams, { filter: substring("hit"), before: 9, after: 9 });
    const seen: number[] = [];
    let start: LogPageQuery["start"] = "begin";
    for (let pages = 0; ; pages++) {
      const page = await fixture.store.readLogPage({ ...wanted, start }, never);
      expect(pages).toBeLessThan(20);
      expect(page.entries.length).toBeLessThan(130);
      seen.push(...page.entries.map((entry) => entry.seq));
      if (page.atEnd) break;
      start = { place: page.end };
    }
    expect(seen).toEqual(lines.map((_, index) => index));
  });

  test.each<[Partial<LogPageQuery>, string]>([
    [{ limit: 0 }, "limit"],
    [{ limit: 10_001 }, "limit"],
    [{ before: -1 }, "before"],
    [{ after: 101 }, "after"],
    [{ filter: regex("ok", "(") }, "include.1"],
    [{ filter: substring("x".repeat(1_001)) }, "include.0"],
    [{ filter: { ...ALL, exclude: [{ kind: "regex", text: "[z-a]" }] } }, "exclude.0"],
  ])("refuses what is out of bounds or no expression, and names the field (%#)", async (change, path) => {
    const failed = fixture.store.readLogPage(pageQuery([], change), never);
    await expect(failed).rejects.toMatchObject({
      code: "BAD_REQUEST",
      issues: [{ path, message: expect.any(String) }],
    });
  });

  test("of expired and deleted streams there are no lines", async () => {
    const { store, url } = fixture;
    const streams = await storeLines(fixture, [countedLines("a", 2)], [countedLines("b", 2)], [countedLines("c", 2)]);
    await query(url, "update log_streams set expired_at = now() where ordinal = 0");
    await query(url, "delete from log_streams where ordinal = 1");
    const page = await store.readLogPage(pageQuery(streams), never);
    expect(page.entries.map(show)).toEqual(["2:0 c 0", "2:1 c 1"]);
    expect(await store.searchLogs(searchQuery(streams), never)).toMatchObject({ matches: 2, scanned: 2 });
    const exported: LogEntry[] = [];
    for await (const piece of store.exportMerged(streams, never)) exported.push(...piece);
    expect(exported.map(show)).toEqual(["2:0 c 0", "2:1 c 1"]);
  });

  test("chunks that are replaced while pages are read change nothing", async () => {
    const { step, team, runId } = await claimRun(fixture);
    const writer = await TestWriter.open(fixture, step);
    await writer.write(countedLines("line", 400), { linesPerChunk: 5 });
    const streams = await streamsOf(fixture, team, runId);
    const compact = async (): Promise<void> => {
      for (let from = 0; from < 400; from += 50) {
        const whole = {
          ...writer.record,
          nextSeq: from,
          maxTime: from === 0 ? null : T0 + BigInt(from - 1) * 1_000_000n,
        };
        const copy = Object.assign(Object.create(Object.getPrototypeOf(writer)) as TestWriter, writer, {
          record: whole,
        });
        const { chunks } = await copy.commit(countedLines("line", 50, from));
        expect(await fixture.store.replaceChunks(writer.record, writer.record.fence, chunks[0]!)).toBe(true);
      }
    };
    const read = async (): Promise<void> => {
      for (let round = 0; round < 6; round++) {
        const pages: string[] = [];
        for (let start: LogPageQuery["start"] = "begin"; ;) {
          const page = await fixture.store.readLogPage(pageQuery(streams, { start, limit: 37 }), never);
          pages.push(...page.entries.map(show));
          if (page.atEnd) break;
          start = { place: page.end };
        }
        expect(pages).toEqual(countedLines("line", 400).map(({ text }, seq) => `0:${seq} ${text.toString()}`));
      }
    };
    await Promise.all([compact(), read()]);
  });
});

test("a signal stops a page, a search and an export", async () => {
  const { store } = fixture;
  const streams = await storeLines(fixture, [countedLines("line", 100), { linesPerChunk: 1 }]);
  const aborted = AbortSignal.abort(new Error("the reader has gone"));
  await expect(store.readLogPage(pageQuery(streams), aborted)).rejects.toThrow("the reader has gone");
  await expect(store.searchLogs(searchQuery(streams), aborted)).rejects.toThrow("the reader has gone");
  await expect(store.exportMerged(streams, aborted)[Symbol.asyncIterator]().next()).rejects.toThrow(
    "the reader has gone",
  );
  const controller = new AbortController();
  const stuck = await storeLines(fixture, [[{ text: `${"a".repeat(40)}!`, time: T0 }]]);
  const page = store.readLogPage(pageQuery(stuck, { filter: regex("^(a+)+$") }), controller.signal);
  setTimeout(() => controller.abort(new Error("the reader has gone")), 50);
  await expect(page).rejects.toThrow("the reader has gone");
});

describe("readTail", () => {
  test("gives the newest lines within both limits, and says whether there are older ones", async () => {
    const { store } = fixture;
    const streams = await storeLines(fixture, [
      [...countedLines("line", 9), { text: "", time: T0 }],
      { linesPerChunk: 4 },
    ]);
    const tail = async (lines: number, bytes: number) => {
      const read = await store.readTail(streams[0]!, { lines, bytes });
      return { ...read, lines: read.lines.map((line) => Buffer.from(line).toString()) };
    };
    const all = [...countedLines("line", 9).map(({ text }) => text.toString()), ""];
    expect(await tail(100, 10_000)).toEqual({ lines: all, nextSeq: 10, cutBy: null });
    expect(await tail(10, 54)).toEqual({ lines: all, nextSeq: 10, cutBy: null });
    expect(await tail(9, 10_000)).toEqual({ lines: all.slice(1), nextSeq: 10, cutBy: "lines" });
    expect(await tail(3, 10_000)).toEqual({ lines: all.slice(-3), nextSeq: 10, cutBy: "lines" });
    expect(await tail(100, 53)).toEqual({ lines: all.slice(1), nextSeq: 10, cutBy: "bytes" });
    expect(await tail(100, 0)).toEqual({ lines: [""], nextSeq: 10, cutBy: "bytes" });
    expect(await tail(0, 0)).toEqual({ lines: [], nextSeq: 10, cutBy: "lines" });
  });

  test("is empty for a stream without lines", async () => {
    const streams = await storeLines(fixture, [[]]);
    expect(await fixture.store.readTail(streams[0]!, { lines: 10, bytes: 10 })).toEqual({
      lines: [],
      nextSeq: 0,
      cutBy: null,
    });
  });
});

test("a run that is deleted takes its streams along", async () => {
  const { store } = fixture;
  const { step, team, runId } = await claimRun(fixture);
  const writer = await TestWriter.open(fixture, step);
  await writer.write(countedLines("line", 3));
  await store.releaseLeases("a");
  await endRun(fixture, runId, step.namespace);
  const late = await writer.commit(countedLines("late", 1));
  expect(await store.deleteRun(team, runId)).toBe("deleted");
  expect(await store.listStreams(step.id)).toEqual([]);
  expect(await store.commitLogs([late])).toEqual(["lost"]);
  expect(await store.openStream({ stepId: step.id, fence: step.fence, instance: writer.record.instance })).toBeNull();
});
