import pg from "pg";
import { describe, expect, test } from "vitest";
import { openStore } from "../../src/index.ts";
import { addDays, checkDay } from "../../src/logs/retention/partitions.ts";
import { endRun, openTestStore, query, quiet, type StoreFixture } from "../support.ts";
import { claimRun, countedLines, readAllTexts, streamsOf, TestWriter } from "./support.ts";

const TODAY = new Date().toISOString().slice(0, 10);

/** The tables of the days that there are, attached or not. */
async function listTables({ url }: StoreFixture): Promise<string[]> {
  const rows = await query(
    url,
    "select relname from pg_class where relname ~ '^log_(chunks|gaps)_[0-9]{8}$' order by relname",
  );
  return rows.map((row) => String(row["relname"]));
}

/** Like `listTables`, but only what belongs to its table. */
async function listAttached({ url }: StoreFixture): Promise<string[]> {
  const rows = await query(
    url,
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent in ('log_chunks'::regclass, 'log_gaps'::regclass) and not inhdetachpending order by name`,
  );
  return rows.map((row) => String(row["name"]));
}

/** A stream with lines whose run was created so many days ago. */
async function writeOld(
  fixture: StoreFixture,
  days: number,
  team: string | null = null,
): Promise<{ writer: TestWriter; team: string; runId: string; day: string; namespace: string }> {
  const day = addDays(TODAY, -days);
  const claimed = await claimRun(fixture, { team, change: {} });
  await query(fixture.url, "update test_runs set created_at = created_at - $2 * interval '1 day' where id = $1", [
    claimed.runId,
    days,
  ]);
  await fixture.store.prepareDay(day);
  const writer = await TestWriter.open(fixture, claimed.step);
  expect(writer.record.day).toBe(day);
  await writer.write(countedLines("line", 30), {
    linesPerChunk: 3,
    gaps: [{ seq: 3, reason: "rotated", certain: true, from: null, until: null }],
  });
  return { writer, team: claimed.team, runId: claimed.runId, day, namespace: claimed.step.namespace };
}

describe("days", () => {
  test("are dates and nothing else", () => {
    expect(checkDay("2026-11-24")).toBe("2026-11-24");
    for (const bad of [
      "2026-11-31",
      "2026-1-1",
      "2026-11-24'",
      "yesterday",
      "",
      "2026-11-24T00:00:00Z",
      "+02026-11-24",
    ])
      expect(() => checkDay(bad)).toThrow(RangeError);
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
    expect(addDays("2028-03-01", -1)).toBe("2028-02-29");
  });
});

describe("prepareDay", () => {
  test("makes the partitions of a day and the next, once, with what the table has", async () => {
    await using fixture = await openTestStore();
    await fixture.store.prepareDay("2031-12-31");
    const names = ["log_chunks_20311231", "log_chunks_20320101", "log_gaps_20311231", "log_gaps_20320101"];
    expect(await listAttached(fixture)).toEqual(names);
    await fixture.store.prepareDay("2031-12-31");
    expect(await listAttached(fixture)).toEqual(names);
    await fixture.store.prepareDay("2032-01-01");
    expect(await listAttached(fixture)).toHaveLength(6);
    const [storage] = await query(
      fixture.url,
      "select attstorage from pg_attribute where attrelid = 'log_chunks_20311231'::regclass and attname = 'data'",
    );
    expect(storage).toEqual({ attstorage: "e" });
    const keys = await query(fixture.url, "select indexdef from pg_indexes where tablename = 'log_chunks_20311231'");
    expect(keys).toEqual([{ indexdef: expect.stringContaining("(day, stream_id, first_seq)") }]);
  });

  test("is safe when many do it at once", async () => {
    await using fixture = await openTestStore();
    const others = await Promise.all(
      Array.from({ length: 4 }, () => openStore({ databaseUrl: fixture.url, log: quiet })),
    );
    const days = ["2031-01-01", "2031-01-02", "2031-01-03"];
    await Promise.all(others.flatMap((store) => days.map((day) => store.prepareDay(day))));
    expect(await listAttached(fixture)).toHaveLength(8);
    await Promise.all(others.map((store) => store.close()));
  });

  test("waits for no commit that is under way, nor do others wait for it", async () => {
    await using fixture = await openTestStore();
    const { writer } = await writeOld(fixture, 0);
    const client = new pg.Client({ connectionString: fixture.url });
    await client.connect();
    await client.query("begin; lock table log_chunks, log_gaps in row exclusive mode");
    await fixture.store.prepareDay(addDays(TODAY, 10));
    await writer.write(countedLines("more", 3));
    await client.end();
  });

  test("refuses what is no day", async () => {
    await using fixture = await openTestStore();
    await expect(fixture.store.prepareDay("2026-02-30")).rejects.toThrow(RangeError);
    await expect(fixture.store.dropDaysBefore("2026-02-30'")).rejects.toThrow(RangeError);
  });
});

describe("dropDaysBefore", () => {
  test("drops older days and marks their streams, whose lines are gone for readers and writers", async () => {
    await using fixture = await openTestStore();
    const { store } = fixture;
    const old = await writeOld(fixture, 3);
    const kept = await writeOld(fixture, 1);
    const late = await old.writer.commit(countedLines("late", 1));
    await store.handOver(late);
    expect(await store.dropDaysBefore(addDays(TODAY, -1))).toEqual([addDays(TODAY, -3), addDays(TODAY, -2)]);
    expect(await store.dropDaysBefore(addDays(TODAY, -1))).toEqual([]);
    expect(
      (await listTables(fixture)).filter((name) => name < `log_chunks_${addDays(TODAY, -1).replaceAll("-", "")}`),
    ).toEqual([]);
    expect(await streamsOf(fixture, old.team, old.runId)).toMatchObject([{ expired: true, lines: 30, gaps: 1 }]);
    expect(await streamsOf(fixture, kept.team, kept.runId)).toMatchObject([{ expired: false }]);
    expect(await readAllTexts(store, old.writer.record)).toEqual([]);
    expect(await readAllTexts(store, kept.writer.record)).toHaveLength(30);
    expect(await store.commitLogs([late, await kept.writer.commit(countedLines("more", 1))])).toEqual([
      "lost",
      "committed",
    ]);
    expect(await store.listHandovers(old.writer.record)).toEqual([]);
    const { stepId, fence, instance } = old.writer.record;
    expect(await store.openStream({ stepId, fence, instance })).toBeNull();
    expect(await store.openStream({ stepId, fence, instance: { ...instance, restart: 1 } })).toBeNull();
    expect(await listAttached(fixture)).toEqual(await listTables(fixture));
  });

  test("is safe when many do it at once, also beside those that make days and write", async () => {
    await using fixture = await openTestStore();
    const { store } = fixture;
    const { writer } = await writeOld(fixture, 0);
    for (let days = 2; days < 6; days++) await store.prepareDay(addDays(TODAY, -days));
    const write = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await writer.write(countedLines("more", 1));
    };
    const work = [
      ...Array.from({ length: 4 }, () => store.dropDaysBefore(TODAY)),
      ...Array.from({ length: 4 }, (_, i) => store.prepareDay(addDays(TODAY, i))),
      write(),
    ];
    await Promise.all(work);
    await store.dropDaysBefore(TODAY);
    expect((await listTables(fixture)).every((name) => name.slice(-8) >= TODAY.replaceAll("-", ""))).toBe(true);
    expect(await listAttached(fixture)).toEqual(await listTables(fixture));
    expect(await readAllTexts(store, writer.record)).toHaveLength(50);
  });

  test("gives way to a long reader, lets others write meanwhile, and is finished by the next call", async () => {
    await using fixture = await openTestStore();
    const { store } = fixture;
    const today = await writeOld(fixture, 0);
    await writeOld(fixture, 3);
    const reader = new pg.Client({ connectionString: fixture.url });
    await reader.connect();
    await reader.query("begin; select count(*) from log_chunks");
    const dropping = store.dropDaysBefore(TODAY);
    const write = async (): Promise<number> => {
      const from = performance.now();
      await today.writer.write(countedLines("more", 1));
      return performance.now() - from;
    };
    const waits: number[] = [];
    const over = new AbortController();
    const ended = dropping.catch((error: unknown) => error).finally(() => over.abort());
    while (!over.signal.aborted) waits.push(await write());
    expect(await ended).toMatchObject({ name: "TailraceError", code: "UNAVAILABLE" });
    expect(Math.max(...waits)).toBeLessThan(1500);
    await reader.query("commit");
    await reader.end();
    expect(await store.dropDaysBefore(TODAY)).toContain(addDays(TODAY, -3));
    expect(await listAttached(fixture)).toEqual(await listTables(fixture));
    expect((await listTables(fixture)).every((name) => name.slice(-8) >= TODAY.replaceAll("-", ""))).toBe(true);
  });
});

/** Deletes until nothing is left to delete. @returns how often */
async function deleteAll({ store }: StoreFixture, maxChunks: number): Promise<number> {
  for (let calls = 1; ; calls++) {
    expect(calls).toBeLessThan(100);
    if (!(await store.deleteExpiredLogs({ maxChunks }))) return calls;
  }
}

const counts =
  "select (select count(*) from log_chunks)::int as chunks, (select count(*) from log_gaps)::int as gaps, (select count(*) from log_removals)::int as removals";

describe("deleteExpiredLogs", () => {
  test("deletes the logs of a deleted run, a few chunks at a time", async () => {
    await using fixture = await openTestStore();
    const gone = await writeOld(fixture, 0);
    const kept = await writeOld(fixture, 0);
    await fixture.store.releaseLeases("a");
    await endRun(fixture, gone.runId, gone.namespace);
    expect(await fixture.store.deleteRun(gone.team, gone.runId)).toBe("deleted");
    expect(await query(fixture.url, counts)).toEqual([{ chunks: 20, gaps: 2, removals: 1 }]);
    expect(await fixture.store.deleteExpiredLogs({ maxChunks: 4 })).toBe(true);
    expect(await query(fixture.url, counts)).toEqual([{ chunks: 16, gaps: 2, removals: 1 }]);
    await deleteAll(fixture, 4);
    expect(await query(fixture.url, counts)).toEqual([{ chunks: 10, gaps: 1, removals: 0 }]);
    expect(await readAllTexts(fixture.store, kept.writer.record)).toHaveLength(30);
  });

  test("deletes what a team does not want to keep any longer, once its run has ended", async () => {
    await using fixture = await openTestStore();
    const { store } = fixture;
    const old = await writeOld(fixture, 3);
    const active = await writeOld(fixture, 3, old.team);
    const young = await writeOld(fixture, 2, old.team);
    const other = await writeOld(fixture, 3);
    await store.releaseLeases("a");
    for (const { runId, namespace } of [old, young, other]) await endRun(fixture, runId, namespace);
    expect(await deleteAll(fixture, 7)).toBe(1);
    await store.updateTeam(old.team, { logRetentionDays: 2 });
    await deleteAll(fixture, 7);
    expect(await streamsOf(fixture, old.team, old.runId)).toMatchObject([{ expired: true, lines: 30 }]);
    expect(await readAllTexts(store, old.writer.record)).toEqual([]);
    for (const { team, runId, writer } of [active, young, other]) {
      expect(await streamsOf(fixture, team, runId)).toMatchObject([{ expired: false }]);
      expect(await readAllTexts(store, writer.record)).toHaveLength(30);
    }
    expect(await query(fixture.url, counts)).toEqual([{ chunks: 30, gaps: 3, removals: 0 }]);
  });

  test("of several at once none does what another does", async () => {
    await using fixture = await openTestStore();
    const { store } = fixture;
    const runs = [];
    for (let i = 0; i < 4; i++) runs.push(await writeOld(fixture, 0));
    await store.releaseLeases("a");
    for (const { runId, namespace } of runs) await endRun(fixture, runId, namespace);
    for (const { team, runId } of runs) await store.deleteRun(team, runId);
    await Promise.all(Array.from({ length: 4 }, () => deleteAll(fixture, 3)));
    await deleteAll(fixture, 100);
    expect(await query(fixture.url, counts)).toEqual([{ chunks: 0, gaps: 0, removals: 0 }]);
  });

  test("has nothing to do for a day that was dropped", async () => {
    await using fixture = await openTestStore();
    const { store, url } = fixture;
    const { team, runId, namespace } = await writeOld(fixture, 3);
    await store.releaseLeases("a");
    await endRun(fixture, runId, namespace);
    await store.dropDaysBefore(TODAY);
    expect(await store.deleteRun(team, runId)).toBe("deleted");
    await deleteAll(fixture, 10);
    expect(await query(url, counts)).toEqual([{ chunks: 0, gaps: 0, removals: 0 }]);
  });
});

test("a commit under way and the deletion of its run leave nothing behind", async () => {
  await using fixture = await openTestStore();
  const { store } = fixture;
  for (let round = 0; round < 8; round++) {
    const { writer, team, runId, namespace } = await writeOld(fixture, 0);
    await store.releaseLeases("a");
    await endRun(fixture, runId, namespace);
    const commit = await writer.commit(countedLines("late", 2000), { linesPerChunk: 20 });
    const [outcomes, result] = await Promise.all([store.commitLogs([commit]), store.deleteRun(team, runId)]);
    expect(["committed", "lost"]).toContain(outcomes[0]);
    expect(result).toBe("deleted");
  }
  await deleteAll(fixture, 1000);
  expect(await query(fixture.url, counts)).toEqual([{ chunks: 0, gaps: 0, removals: 0 }]);
});
