import type { LogFilter } from "@tailrace/core";
import { describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../src/database.ts";
import { PAGE_LIMITS } from "../../src/logs/log-store.ts";
import { ChunkCache } from "../../src/logs/read/chunk-cache.ts";
import { readLogPage } from "../../src/logs/read/read-page.ts";
import { searchLogs } from "../../src/logs/read/search-logs.ts";
import { ScanPool } from "../../src/logs/scan/scan-pool.ts";
import { quiet, sharedStore } from "../support.ts";
import { ALL, countedLines, pageQuery, regex, searchQuery, show, storeLines, substring, T0 } from "./support.ts";

const fixture = sharedStore();
const never = new AbortController().signal;

describe("searchLogs", () => {
  test("counts matches by time and level", async () => {
    const at = (seconds: number): bigint => T0 + BigInt(seconds) * 1_000_000_000n;
    const streams = await storeLines(
      fixture,
      [
        [
          { text: "level=info a", time: at(1) },
          { text: "level=error a", time: at(9) },
          // The running maximum is that of the line before.
          { text: "level=error a", time: at(2) },
          { text: "b", time: at(31) },
        ],
        { linesPerChunk: 2 },
      ],
      [[{ text: "a", time: at(12) }]],
    );
    const { store } = fixture;
    const search = { ...searchQuery(streams, substring("a")), bucketMs: 10_000 };
    expect(await store.searchLogs(search, never)).toEqual({
      matches: 4,
      scanned: 5,
      bucketMs: 10_000,
      buckets: [
        { time: "2026-11-24T10:00:00.000Z", matches: 3, levels: { info: 1, error: 2 } },
        { time: "2026-11-24T10:00:10.000Z", matches: 1, levels: { none: 1 } },
      ],
      complete: true,
    });
    expect(await store.searchLogs({ ...search, from: at(2), until: at(12) }, never)).toMatchObject({
      matches: 2,
      scanned: 2,
    });
    expect(await store.searchLogs({ ...search, filter: { ...ALL, levels: ["error", null] } }, never)).toMatchObject({
      matches: 4,
      scanned: 5,
    });
  });

  test("chooses a width of its own, and refuses buckets without number", async () => {
    const { store } = fixture;
    const streams = await storeLines(fixture, [countedLines("line", 2000)]);
    const found = await store.searchLogs(searchQuery(streams), never);
    expect(found).toMatchObject({ matches: 2000, bucketMs: 50 });
    expect(found.buckets).toHaveLength(40);
    for (const bucketMs of [0, 1.5, -1])
      await expect(store.searchLogs({ ...searchQuery(streams), bucketMs }, never)).rejects.toMatchObject({
        code: "BAD_REQUEST",
        issues: [{ path: "bucketMs" }],
      });
    const long = { ...searchQuery(streams), from: 0n, bucketMs: 1 };
    await expect(store.searchLogs(long, never)).rejects.toMatchObject({ issues: [{ path: "bucketMs" }] });
    expect(await store.searchLogs(searchQuery([]), never)).toMatchObject({ matches: 0, scanned: 0, complete: true });
  });

  test("says when there was no time for all", async () => {
    const streams = await storeLines(fixture, [countedLines("line", 100), { linesPerChunk: 10 }]);
    const database = openDatabase({ databaseUrl: fixture.url, log: quiet });
    await using scans = new ScanPool();
    const deps = { pool: database.pool, scans, chunks: new ChunkCache(), timeMs: 0 };
    const late = await searchLogs(deps, searchQuery(streams), never);
    await database.close();
    expect(late).toMatchObject({ complete: false, matches: 0, scanned: 0 });
  });
});

describe("a pattern that takes too long", () => {
  const evil = "^(a+)+$";
  const text = `${"a".repeat(40)}!`;

  test("is stopped and named, and the next search finds a thread", async () => {
    const streams = await storeLines(fixture, [
      [
        { text, time: T0 },
        { text: "fine", time: T0 },
      ],
    ]);
    const database = openDatabase({ databaseUrl: fixture.url, log: quiet });
    await using scans = new ScanPool({ limitMs: 200 });
    const deps = { pool: database.pool, scans, chunks: new ChunkCache(), limits: PAGE_LIMITS };
    const page = (filter: LogFilter) => readLogPage(deps, pageQuery(streams, { filter }), never);
    await expect(page(regex("fine", evil))).rejects.toMatchObject({
      code: "BAD_REQUEST",
      issues: [{ path: "include.1", message: expect.stringContaining("200 ms") }],
    });
    const search = searchLogs(
      { ...deps, timeMs: 5000 },
      searchQuery(streams, { ...ALL, exclude: [{ kind: "regex", text: evil }] }),
      never,
    );
    await expect(search).rejects.toMatchObject({ code: "BAD_REQUEST", issues: [{ path: "exclude.0" }] });
    expect((await page(regex("fi.e"))).entries.map(show)).toEqual(["0:1 fine"]);
    await database.close();
  });

  test("does not keep the others from searching", async () => {
    const streams = await storeLines(fixture, [
      [
        { text, time: T0 },
        { text: "fine", time: T0 },
      ],
    ]);
    const stuck = fixture.store.readLogPage(pageQuery(streams, { filter: regex(evil) }), never);
    const others = Array.from({ length: 3 }, () =>
      fixture.store.readLogPage(pageQuery(streams, { filter: substring("fine") }), never),
    );
    for (const page of await Promise.all(others)) expect(page.entries.map(show)).toEqual(["0:1 fine"]);
    await expect(stuck).rejects.toMatchObject({ issues: [{ path: "include.0" }] });
  });

  test("keeps no store from closing, nor does what waits behind it", async () => {
    const streams = await storeLines(fixture, [[{ text, time: T0 }]]);
    const database = openDatabase({ databaseUrl: fixture.url, log: quiet });
    const scans = new ScanPool({ size: 1 });
    const deps = { pool: database.pool, scans, chunks: new ChunkCache(), limits: PAGE_LIMITS };
    const pages = Array.from({ length: 3 }, () =>
      readLogPage(deps, pageQuery(streams, { filter: regex(evil) }), never),
    );
    const ended = Promise.allSettled(pages);
    await vi.waitFor(() => expect(database.pool.idleCount).toBe(0));
    await scans.close();
    expect((await ended).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    const late = readLogPage(deps, pageQuery(streams, { filter: substring("a") }), never);
    await expect(late).rejects.toThrow("have ended");
    await database.close();
  });

  test("or is too much for the engine is named too", async () => {
    const groups = Array.from("bcdefghijklmnopqrstuvwxyzBCDEFGHIJKLMNOPQRSTUVWXYZ", (letter) => `(${letter})`);
    const streams = await storeLines(fixture, [[{ text: `${"a".repeat(1_000_000)}!`, time: T0 }]]);
    const filter = regex(`^(?:(a)|${groups.join("|")})*x`);
    await expect(fixture.store.readLogPage(pageQuery(streams, { filter }), never)).rejects.toMatchObject({
      code: "BAD_REQUEST",
      issues: [{ path: "include.0", message: expect.stringContaining("Maximum call stack size exceeded") }],
    });
  });
});
