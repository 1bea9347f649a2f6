import type { LogFilter, LogPage, LogPageQuery, LogStream } from "@tailrace/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/database.ts";
import { PAGE_LIMITS } from "../../src/logs/log-store.ts";
import { ChunkCache } from "../../src/logs/read/chunk-cache.ts";
import { readLogPage, type PageLimits } from "../../src/logs/read/read-page.ts";
import { ScanPool } from "../../src/logs/scan/scan-pool.ts";
import { quiet, sharedStore } from "../support.ts";
import { ALL, regex, show, substring, T0 } from "./support.ts";
import { storeWorld, withContext, world, worldEntries, type WorldEntry } from "./world.ts";

const fixture = sharedStore();
/** Few of the chunks fit in. */
const chunks = new ChunkCache(1_000);
let database: Database;
let scans: ScanPool;

beforeAll(() => {
  database = openDatabase({ databaseUrl: fixture.url, log: quiet });
  scans = new ScanPool();
});
afterAll(async () => {
  await database.close();
  await scans.close();
});

const filters: { filter: LogFilter; matches: (line: string) => boolean }[] = [
  { filter: ALL, matches: () => true },
  { filter: substring("alpha"), matches: (line) => line.includes("alpha") },
  { filter: { ...substring("ALPHA", "Gam"), ignoreCase: true }, matches: (line) => /alpha|gam/.test(line) },
  { filter: regex("^alpha|ü.*e$"), matches: (line) => /^alpha|ü.*e$/.test(line) },
  {
    filter: { ...substring("a"), exclude: [{ kind: "regex", text: "beta$" }] },
    matches: (line) => line.includes("a") && !line.endsWith("beta"),
  },
  {
    filter: { ...ALL, levels: ["error", null] },
    matches: (line) => /level=error/.exec(line)?.index === line.indexOf("level=") || !line.includes("level="),
  },
  { filter: substring("nowhere"), matches: () => false },
];

interface Asked {
  streams: LogStream[];
  filter: LogFilter;
  limit: number;
  before: number;
  after: number;
  until?: bigint;
  limits?: Partial<PageLimits>;
}

function readPage(asked: Asked, start: LogPageQuery["start"], direction: LogPageQuery["direction"]): Promise<LogPage> {
  const { streams, filter, limit, before, after, until = null, limits } = asked;
  const query: LogPageQuery = { streams, filter, start, direction, until, limit, before, after };
  const deps = { pool: database.pool, scans, chunks, limits: { ...PAGE_LIMITS, ...limits } };
  return readLogPage(deps, query, new AbortController().signal);
}

/** Page after page until the last one; forward in their order, backward the other way round, so that all are in the one order. */
async function readPages(
  asked: Asked,
  start: LogPageQuery["start"],
  direction: LogPageQuery["direction"],
): Promise<LogPage[]> {
  const pages: LogPage[] = [];
  let place = start;
  for (;;) {
    const page = await readPage(asked, place, direction);
    pages.push(page);
    expect(page.entries.filter((entry) => entry.kind === "line" && !entry.context).length).toBeLessThanOrEqual(
      asked.limit,
    );
    if (page.atEnd) return direction === "forward" ? pages : pages.toReversed();
    const next = direction === "forward" ? page.end : page.start;
    expect(next).not.toEqual(place);
    place = { place: next };
  }
}

const shown = (pages: readonly LogPage[]): string[] => pages.flatMap((page) => page.entries.map(show));

/** The entries in the one order, whichever page they were on. */
function inOrder(texts: readonly string[], entries: readonly WorldEntry[]): string[] {
  const places = new Map(entries.map(({ text }, index) => [text, index]));
  const place = (text: string): number => places.get(text.replace(/^~/, "")) ?? Number.NaN;
  return texts.toSorted((a, b) => place(a) - place(b));
}

// Failures are shown as they are found: to shrink one takes minutes against a database.
const question = fc.record({
  // What needs no search is read in another way than all others.
  choice: fc.oneof(fc.constant(filters[0]!), fc.constantFrom(...filters)),
  limit: fc.integer({ min: 1, max: 9 }),
  before: fc.constantFrom(0, 0, 1, 3),
  after: fc.constantFrom(0, 0, 1, 3),
  // Nearly nothing, so that a page is cut short by what it may cost or show.
  limits: fc.constantFrom<Partial<PageLimits>>({}, {}, { scannedBytes: 20 }, { shownBytes: 12 }),
});

test("page after page is one big page, forward, backward, and from any place to both sides", async () => {
  await fc.assert(
    fc.asyncProperty(
      world,
      question,
      fc.array(fc.nat({ max: 26 }), { maxLength: 4 }),
      async (streams, ask, somewhere) => {
        const entries = worldEntries(streams);
        const { choice, ...rest } = ask;
        const asked: Asked = { ...rest, filter: choice.filter, streams: await storeWorld(fixture, streams) };
        const expected = withContext(entries, choice.matches, ask.before, ask.after);

        const forward = await readPages(asked, "begin", "forward");
        const backward = await readPages(asked, "end", "backward");
        for (const pages of [forward, backward]) {
          expect(inOrder(shown(pages), entries)).toEqual(expected);
          for (const page of pages) expect(page.entries.map(show)).toEqual(inOrder(page.entries.map(show), entries));
          if (Object.keys(ask.limits).length === 0) expect(pages.every((page) => page.complete)).toBe(true);
        }
        if (ask.before + ask.after === 0) {
          expect(shown(forward)).toEqual(expected);
          expect(shown(backward)).toEqual(expected);
        }
        for (const place of [somewhere, forward[0]!.end, backward.at(-1)!.start]) {
          const earlier = await readPages(asked, { place }, "backward");
          const later = await readPages(asked, { place }, "forward");
          expect(inOrder(shown([...earlier, ...later]), entries)).toEqual(expected);
        }
      },
    ),
    { numRuns: 50, endOnFailure: true },
  );
}, 120_000);

test("a page begins and ends at a time by the stream's running maximum", async () => {
  const time = fc.integer({ min: -1, max: 13 }).map((step) => T0 + BigInt(step) * 1_000_000n);
  await fc.assert(
    fc.asyncProperty(world, question, time, time, async (streams, ask, from, until) => {
      const { choice, ...rest } = ask;
      const asked: Asked = {
        ...rest,
        filter: choice.filter,
        streams: await storeWorld(fixture, streams),
        before: 0,
        after: 0,
      };
      const entries = worldEntries(streams);
      const expected = (pass: (key: WorldEntry["key"]) => boolean): string[] =>
        withContext(
          entries.filter(({ key }) => pass(key)),
          choice.matches,
          0,
          0,
        );
      // A gap at the very end has no line whose time it could share.
      const lines = (pages: LogPage[]): string[] => shown(pages).filter((text) => !isTrailing(text));
      const isTrailing = (text: string): boolean => {
        const [ordinal, seq] = text.split(/[: ]/).map(Number);
        return seq === streams[ordinal!]!.lines.length;
      };
      const kept = (texts: string[]): string[] => texts.filter((text) => !isTrailing(text));
      expect(lines(await readPages(asked, { time: from }, "forward"))).toEqual(
        kept(expected(({ time: at }) => at >= from)),
      );
      expect(lines(await readPages(asked, { time: from }, "backward"))).toEqual(
        kept(expected(({ time: at }) => at < from)),
      );
      expect(lines(await readPages({ ...asked, until }, { time: from }, "forward"))).toEqual(
        kept(expected(({ time: at }) => at >= from && at < until)),
      );
      expect(lines(await readPages({ ...asked, until }, "end", "backward"))).toEqual(
        kept(expected(({ time: at }) => at < until)),
      );
    }),
    { numRuns: 25, endOnFailure: true },
  );
}, 120_000);

test("context behind a match ends where the page does", async () => {
  const lines = Array.from({ length: 10 }, (_, step) => ({ text: `${step}`, time: T0 + BigInt(step) }));
  const streams = await storeWorld(fixture, [{ lines, linesPerChunk: 2, gaps: [], sealed: false }]);
  const asked: Asked = { streams, filter: substring("4"), limit: 5, before: 2, after: 3, until: T0 + 6n };
  const expected = ["~0:2 2", "~0:3 3", "0:4 4", "~0:5 5"];
  expect(shown([await readPage(asked, { time: T0 + 3n }, "forward")])).toEqual(expected);
  expect(shown([await readPage(asked, "end", "backward")])).toEqual(expected);
});
