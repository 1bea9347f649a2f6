import type { Handover } from "@tailrace/core";
import { expect, test } from "vitest";
import { query, sharedStore } from "../support.ts";
import { claimRun, countedLines, T0, TestWriter } from "./support.ts";

const fixture = sharedStore();

/** Without the memory that data lies in. */
function plain({ commit, ...rest }: Handover): object {
  return {
    ...rest,
    commit: { ...commit, chunks: commit.chunks.map((chunk) => ({ ...chunk, data: Buffer.from(chunk.data) })) },
  };
}

test("lines that were handed over come to the holder as they were, the first ones first", async () => {
  const { store } = fixture;
  const writer = await TestWriter.open(fixture, (await claimRun(fixture)).step);
  const commit = await writer.commit(countedLines("level=info x", 3000), {
    linesPerChunk: 1000,
    gaps: [{ seq: 7, reason: "spool_full", certain: true, from: T0, until: null }],
  });
  const position = {
    source: "node",
    file: null,
    place: { offset: 5, entryBytes: 5, entryHash: "aa" },
    pending: [{ stderr: false, seconds: 1, nanos: 2, bytes: new Uint8Array([1, 0, 255]) }],
  } as const;
  const first = { ...commit, position: { ...position, pending: [...position.pending] } };
  const later = { ...commit, firstSeq: 3000, chunks: [], gaps: [] };
  await store.handOver(later);
  await store.handOver(first);
  const listed = await store.listHandovers(writer.record);
  const expected = (handed: typeof first | typeof later): object => {
    const { firstSeq, chunks, gaps, position: place, counts } = handed;
    const stream = { id: writer.record.id, day: writer.record.day };
    return plain({ id: 0, stream, commit: { firstSeq, chunks, gaps, position: place, counts } });
  };
  const shown = listed.map(plain).map((handover) => ({ ...handover, id: 0 }));
  expect(shown).toMatchObject([expected(first), expected(later)]);
});

test("one that is handed over again is the same one", async () => {
  const { store } = fixture;
  const writer = await TestWriter.open(fixture, (await claimRun(fixture)).step);
  const commit = await writer.commit(countedLines("line", 3));
  for (let i = 0; i < 3; i++) await store.handOver(commit);
  await store.handOver(await writer.commit(countedLines("other", 3)));
  expect(await store.listHandovers(writer.record)).toHaveLength(2);
});

test("what was joined goes; what could not be joined is kept, and counted once", async () => {
  const { store, url } = fixture;
  const writer = await TestWriter.open(fixture, (await claimRun(fixture)).step);
  for (const text of ["a", "b", "c"]) await store.handOver(await writer.commit(countedLines(text, 1)));
  const [a, b, c] = await store.listHandovers(writer.record);
  await store.settleHandover(a!.id, "joined");
  await store.settleHandover(a!.id, "joined");
  await store.settleHandover(b!.id, "unjoined");
  await store.settleHandover(b!.id, "unjoined");
  expect((await store.listHandovers(writer.record)).map(({ id }) => id)).toEqual([c!.id]);
  expect(
    await query(url, "select count(*)::int as kept, count(unjoined_at)::int as unjoined from log_handovers"),
  ).toEqual([{ kept: 2, unjoined: 1 }]);
  expect(await query(url, "select unjoined from log_streams")).toEqual([{ unjoined: 1 }]);
});

test("nothing is kept for a stream that is gone", async () => {
  const { store, url } = fixture;
  const writer = await TestWriter.open(fixture, (await claimRun(fixture)).step);
  const commit = await writer.commit(countedLines("line", 3));
  await store.handOver(commit);
  await query(url, "delete from test_runs");
  await store.handOver(commit);
  expect(await query(url, "select id from log_handovers")).toEqual([]);
});
