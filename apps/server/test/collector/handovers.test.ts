import { openStoredChunk } from "@tailrace/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinHandovers } from "../../src/collector/handovers.ts";
import { joinCommits } from "../../src/collector/join-commits.ts";
import type { StreamWriter } from "../../src/collector/stream-writer.ts";
import {
  claimedStep,
  INSTANCE,
  openCommitter,
  openStorage,
  openWriter,
  storedNumbers,
  timeOf,
  upTo,
  writeNumbers,
  type Storage,
} from "../support/collected.ts";

const never = new AbortController().signal;

describe("lines that were handed over", () => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage();
  });
  afterAll(() => storage?.[Symbol.asyncDispose]());

  /** Hands lines over that another holder read, as lines of a stream of which `stored` are stored. */
  async function handedOver(
    stored: [from: number, until: number],
    handed: [from: number, until: number],
    firstSeq: number,
    more: (other: StreamWriter) => void = () => undefined,
  ) {
    const step = await claimedStep(storage.direct);
    const record = (await storage.direct.openStream({ stepId: step.id, fence: step.fence, instance: INSTANCE }))!;
    const committing = await openCommitter(storage);
    const other = openWriter(
      { ...record, nextSeq: firstSeq, maxTime: timeOf(handed[0] - 1), fence: -1 },
      committing,
    ).writer;
    writeNumbers(other, ...handed);
    more(other);
    await other.settled(never);
    const { writer, events } = openWriter(record, committing);
    writeNumbers(writer, ...stored);
    await writer.settled(never);
    const join = (gap: { reason: "rotated"; certain: boolean } | null) =>
      joinHandovers(writer, gap, { store: storage.direct, openChunk: openStoredChunk }, never);
    return { record, writer, events, join, leave: () => committing.leave() };
  }

  test.each([
    ["begin where the stored ones end", [0, 10], [10, 20], upTo(20)],
    ["overlap with the stored ones", [0, 15], [10, 20], upTo(20)],
    ["are all stored already", [0, 30], [10, 20], upTo(30)],
  ] as const)("that %s are joined", async (_, stored, handed, expected) => {
    const { record, join, events, leave } = await handedOver([...stored], [...handed], 10);
    await join(null);
    expect(await storedNumbers(storage.direct, record)).toEqual(expected);
    expect(await storage.direct.listHandovers(record)).toEqual([]);
    expect(events.gaps).toBe(0);
    await leave();
  });

  test("that come later are left until nothing else can fill the distance, and then stand behind a gap", async () => {
    const { record, join, writer, leave } = await handedOver([0, 10], [20, 30], 20);
    expect(await join(null)).toBeNull();
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(10));
    await join({ reason: "rotated", certain: false });
    expect(await storedNumbers(storage.direct, record)).toEqual([...upTo(10), ...upTo(30).slice(20)]);
    expect(await storage.direct.listGaps(record)).toMatchObject([{ seq: 10, reason: "rotated" }]);
    expect(writer.nextSeq).toBe(20);
    await leave();
  });

  test.each([
    ["all new", 10],
    ["known in part", 15],
    ["known up to the gap", 20],
  ])("keep the gap between them where they are %s", async (_, stored) => {
    const { record, join, leave } = await handedOver([0, stored], [10, 20], 10, (other) => {
      other.openGap({ reason: "rotated", certain: false });
      writeNumbers(other, 30, 40);
    });
    const handovers = await storage.direct.listHandovers(record);
    // As where they waited for the database together.
    const commits = handovers.map(({ stream, commit }) => ({ ...commit, stream, stepId: record.stepId, fence: -1 }));
    const { joined } = joinCommits(commits);
    for (const { id } of handovers) await storage.direct.settleHandover(id, "joined");
    for (const commit of joined) await storage.direct.handOver(commit);
    const [handover] = await storage.direct.listHandovers(record);
    expect(handover!.commit).toMatchObject({ chunks: [{ firstSeq: 10 }, { firstSeq: 20 }], gaps: [{ seq: 20 }] });
    await join(null);
    expect(await storedNumbers(storage.direct, record)).toEqual([...upTo(20), ...upTo(40).slice(30)]);
    expect(await storage.direct.listGaps(record)).toMatchObject([{ seq: 20, reason: "rotated", certain: false }]);
    expect(await storage.direct.listHandovers(record)).toEqual([]);
    await leave();
  });

  test("that contradict the stored ones are left alone", async () => {
    const { record, writer, join, leave } = await handedOver([0, 20], [10, 20], 10);
    await join(null);
    expect(await storage.direct.listHandovers(record)).toEqual([]);
    const committing = await openCommitter(storage);
    // Two lines of the same times as stored ones, the second with other words.
    const other = openWriter({ ...record, nextSeq: 3, fence: -1 }, committing).writer;
    writeNumbers(other, 3, 4);
    writeNumbers(other, 4, 5, 1);
    await other.settled(never);
    await join(null);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(20));
    expect(await storage.direct.listHandovers(record)).toHaveLength(1);
    expect(writer.lost).toBe(false);
    await committing.leave();
    await leave();
  });
});
