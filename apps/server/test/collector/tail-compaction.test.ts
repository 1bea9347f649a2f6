import { openStoredChunk, storeChunk } from "@tailrace/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StreamWriter } from "../../src/collector/stream-writer.ts";
import { TailCompaction } from "../../src/collector/tail-compaction.ts";
import { Gate } from "../../src/supervisor/gate.ts";
import {
  claimedStep,
  INSTANCE,
  openCommitter,
  openStorage,
  storedNumbers,
  upTo,
  writeNoise,
  writeNumbers,
  type Storage,
} from "../support/collected.ts";

const never = new AbortController().signal;

describe("the small chunks of a followed stream", { timeout: 60_000 }, () => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage();
  });
  afterAll(() => storage?.[Symbol.asyncDispose]());

  async function begin() {
    const step = await claimedStep(storage.direct);
    const record = (await storage.direct.openStream({ stepId: step.id, fence: step.fence, instance: INSTANCE }))!;
    const { committer, pool, leave } = await openCommitter(storage);
    const failures: unknown[] = [];
    const deps = { store: storage.store, openChunk: openStoredChunk, storeChunk, pool };
    const stream = { stream: record, fence: record.fence, fromSeq: 0 };
    const compaction = new TailCompaction(stream, deps, new Gate(1), (error) => failures.push(error));
    const writer = new StreamWriter(record, {
      committer,
      pool,
      onLost: () => undefined,
      onGap: () => undefined,
      onStored: (chunk) => compaction.stored(chunk),
    });
    /** Writes chunks of two lines, each stored before the next. */
    const writeSmall = async (from: number, chunks: number): Promise<void> => {
      for (let n = from; n < from + 2 * chunks; n += 2) {
        writeNumbers(writer, n, n + 2);
        await writer.settled(never);
      }
      await compaction.idle();
    };
    const chunks = async (): Promise<number> => {
      let count = 0;
      for await (const _ of storage.direct.readChunks(record)) count += 1;
      return count;
    };
    return { step, record, writer, compaction, failures, writeSmall, chunks, leave };
  }

  test("stay as they are while they are few, and become one when they are many", async () => {
    const { record, failures, writeSmall, chunks, leave } = await begin();
    await writeSmall(0, 255);
    expect(await chunks()).toBe(255);
    await writeSmall(510, 1);
    expect(await chunks()).toBe(1);
    await writeSmall(512, 10);
    expect(await chunks()).toBe(11);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(532));
    expect(failures).toEqual([]);
    await leave();
  });

  test("are joined before a large one, which stays as it is", async () => {
    const { record, writer, compaction, writeSmall, chunks, leave } = await begin();
    await writeSmall(0, 5);
    writeNoise(writer, 10, 710, 1000);
    await writer.settled(never);
    await compaction.idle();
    expect(await chunks()).toBe(2);
    await writeSmall(710, 3);
    expect(await chunks()).toBe(5);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(716));
    await leave();
  });

  test("that could not be joined are joined with the next ones", async () => {
    const { record, failures, writeSmall, chunks, writer, compaction, leave } = await begin();
    await writeSmall(0, 254);
    writeNumbers(writer, 508, 510);
    await writer.settled(never);
    storage.line.refuse();
    compaction.stored({ fromSeq: 508, untilSeq: 510, lineBytes: 10 });
    await compaction.idle();
    expect(failures).toHaveLength(1);
    storage.line.accept();
    await writeSmall(510, 256);
    expect(await chunks()).toBe(1);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(1022));
    await leave();
  });
});
