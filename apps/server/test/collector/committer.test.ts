import { readdir, rename, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openStoredChunk, storeChunk } from "@tailrace/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ChunkBuffers } from "../../src/collector/buffers.ts";
import { joinHandovers } from "../../src/collector/handovers.ts";
import { adoptSpools } from "../../src/collector/spool/folder.ts";
import { storeCommits } from "../../src/collector/store-commits.ts";
import type { Submission } from "../../src/collector/waiting-queue.ts";
import {
  claimedStep,
  INSTANCE,
  openCommitter,
  openStorage,
  openWriter,
  quiet,
  storedNumbers,
  upTo,
  writeNoise,
  writeNumbers,
  type Storage,
} from "../support/collected.ts";

const never = new AbortController().signal;

describe("what is read while the database", { timeout: 60_000 }, () => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage();
  });
  afterAll(() => storage?.[Symbol.asyncDispose]());

  async function begin() {
    const step = await claimedStep(storage.direct);
    const record = (await storage.direct.openStream({ stepId: step.id, fence: step.fence, instance: INSTANCE }))!;
    return { step, record };
  }

  test.each([
    ["answers", null],
    ["refuses connections", { cut: "refuse", mend: "accept" }],
    ["says nothing at all", { cut: "stall", mend: "resume" }],
  ] as const)("%s is stored in order, each line once", async (_, fault) => {
    const { record } = await begin();
    const committing = await openCommitter(storage);
    const { committer } = committing;
    const { writer, events } = openWriter(record, committing);
    for (let n = 0; n < 100; n += 10) writeNumbers(writer, n, n + 10);
    if (fault !== null) storage.line[fault.cut]();
    for (let n = 100; n < 2500; n += 100) writeNumbers(writer, n, n + 100, 1000);
    if (fault !== null) await expect.poll(() => committer.spooling, { timeout: 10_000 }).toBe(true);
    for (let n = 2500; n < 5000; n += 100) {
      writeNumbers(writer, n, n + 100, 1000);
      await committer.admission(true, never);
    }
    if (fault !== null) storage.line[fault.mend]();
    writeNumbers(writer, 5000, 5010);
    await writer.settled(never);
    expect(writer.storedSeq).toBe(5010);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(5010));
    expect(events).toEqual({ lost: false, gaps: 0 });
    await committing.leave();
    expect(await readdir(storage.spoolRoot)).toEqual([]);
  });

  test("is away fills the disk to its limit and not the memory, and who has the most time waits first", async () => {
    const { record } = await begin();
    const spoolLimit = 3_000_000;
    const committing = await openCommitter(storage, { spoolLimit });
    const { committer } = committing;
    const { writer } = openWriter(record, committing);
    storage.line.refuse();
    let written = 0;
    const fill = async (inCurrentFile: boolean): Promise<void> => {
      while (committer.mayRead(inCurrentFile)) {
        writeNoise(writer, written, (written += 10), 2000);
        await expect.poll(() => committer.pressure.memoryBytes, { timeout: 10_000 }).toBeLessThan(1_000_000);
        if (!committer.spooling) continue;
        await expect.poll(() => committer.pressure.memoryBytes, { timeout: 10_000 }).toBe(0);
      }
    };
    await fill(true);
    expect(committer.pressure.spoolBytes).toBeGreaterThanOrEqual(spoolLimit * 0.9);
    expect(committer.pressure.spoolBytes).toBeLessThan(spoolLimit);
    expect(committer.mayRead(false)).toBe(true);
    await fill(false);
    expect(committer.pressure.spoolBytes).toBeGreaterThanOrEqual(spoolLimit);
    storage.line.accept();
    await writer.settled(never);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(written));
    expect(committer.mayRead(true)).toBe(true);
    await committing.leave();
  }, 60_000);

  test("answers again, is soon written to from memory, also while more and more lines come", async () => {
    const { record } = await begin();
    const committing = await openCommitter(storage);
    const { committer } = committing;
    const { writer } = openWriter(record, committing);
    let written = 0;
    const write = async (): Promise<void> => {
      writeNumbers(writer, written, ++written);
      await nextTurn();
    };
    storage.line.stall();
    while (!committer.spooling) await write();
    for (let n = 0; n < 2000; n += 1) await write();
    storage.line.resume();
    const end = performance.now() + 20_000;
    while (committer.spooling && performance.now() < end) await write();
    expect(committer.spooling).toBe(false);
    await writer.settled(never);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(written));
    await committing.leave();
  });

  test("has stored a part of what is stored together, because an answer was lost, gets the rest", async () => {
    const [one, other] = [(await begin()).record, (await begin()).record];
    const submitted: Submission[] = [];
    const capturing = {
      committer: { submit: (each: Submission) => void submitted.push(each) },
      pool: new ChunkBuffers(),
    };
    const writers = [one, other].map((record) => openWriter(record, capturing).writer);
    for (const n of [0, 10, 20]) for (const writer of writers) writeNumbers(writer, n, n + 10);
    const commits = await Promise.all(
      submitted.map(async ({ commit, chunk }) => ({ ...commit, chunks: [await storeChunk(chunk!)] })),
    );
    await storeCommits(storage.direct, commits.slice(0, 3));
    expect(await storeCommits(storage.direct, commits.slice(1))).toEqual(Array(5).fill("committed"));
    for (const record of [one, other]) {
      expect(await storedNumbers(storage.direct, record)).toEqual(upTo(30));
      expect(await storage.direct.listHandovers(record)).toEqual([]);
    }
  });

  test("is used again while a chunk is still compressed that would have gone to the disk", async () => {
    const { record } = await begin();
    const held = Promise.withResolvers<void>();
    const committing = await openCommitter(storage, {
      async storeChunk(chunk) {
        if (chunk.firstSeq === 20) await held.promise;
        return await storeChunk(chunk);
      },
    });
    const { committer } = committing;
    const { writer, events } = openWriter(record, committing);
    storage.line.stall();
    writeNumbers(writer, 0, 10);
    await expect.poll(() => committer.pressure.spoolBytes, { timeout: 10_000 }).toBeGreaterThan(0);
    for (const n of [10, 20, 30]) writeNumbers(writer, n, n + 10);
    storage.line.resume();
    await expect.poll(() => committer.spooling, { timeout: 10_000 }).toBe(false);
    held.resolve();
    await writer.settled(never);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(40));
    expect(events).toEqual({ lost: false, gaps: 0 });
    await committing.leave();
  });

  test("answers while what was sent is written to the disk, is not sent it again", async () => {
    const [one, other] = [(await begin()).record, (await begin()).record];
    const answers = [0, 1].map(() => Promise.withResolvers<void>());
    const sent: number[] = [];
    const written = Promise.withResolvers<void>();
    let written2 = false;
    const committing = await openCommitter(storage, {
      store: {
        ...storage.store,
        async commitLogs(commits) {
          const turn = sent.push(commits.length) - 1;
          await answers[turn]?.promise;
          return await storage.store.commitLogs(commits);
        },
      },
      spool: (queue) => ({
        get bytes() {
          return queue.bytes;
        },
        get empty() {
          return queue.empty;
        },
        peek: (most) => queue.peek(most),
        async push(commit) {
          if (commit.stream.id === other.id) {
            written2 = true;
            await written.promise;
          }
          await queue.push(commit);
        },
      }),
    });
    const told: string[] = [];
    const { committer, pool } = committing;
    const noting = {
      submit: (submission: Submission) =>
        committer.submit({
          ...submission,
          done(outcome) {
            told.push(`${submission.commit.stream.id === one.id ? "one" : "other"}: ${outcome}`);
            submission.done(outcome);
          },
        }),
    };
    const writers = [one, other].map((record) => openWriter(record, { committer: noting, pool }).writer);
    writeNumbers(writers[0]!, 0, 1);
    await expect.poll(() => sent).toEqual([1]);
    writeNumbers(writers[0]!, 1, 2);
    writeNumbers(writers[1]!, 0, 2);
    answers[0]!.resolve();
    await expect.poll(() => sent).toEqual([1, 2]);
    await expect.poll(() => written2, { timeout: 10_000 }).toBe(true);
    answers[1]!.resolve();
    await expect.poll(() => told).toEqual(["one: committed", "one: committed", "other: committed"]);
    written.resolve();
    await expect.poll(() => committer.spooling).toBe(false);
    expect(told).toHaveLength(3);
    expect(sent).toEqual([1, 2]);
    await committing.leave();
  });

  test("is away, and the disk can't be written to, waits in memory and is stored when the database is back", async () => {
    const { record } = await begin();
    const committing = await openCommitter(storage);
    const { committer } = committing;
    const { writer, events } = openWriter(record, committing);
    const [folder] = await readdir(storage.spoolRoot);
    const path = join(storage.spoolRoot, folder!);
    await rename(path, `${storage.spoolRoot}-away`);
    writeNumbers(writer, 0, 10);
    storage.line.refuse();
    let written = 10;
    while (committer.mayRead(true)) writeNoise(writer, written, (written += 100), 10_000);
    await expect.poll(() => committer.spooling, { timeout: 10_000 }).toBe(true);
    storage.line.accept();
    await writer.settled(never);
    expect(await storedNumbers(storage.direct, record)).toEqual(upTo(written));
    expect(events).toEqual({ lost: false, gaps: 0 });
    await expect.poll(() => committer.spooling, { timeout: 10_000 }).toBe(false);
    await rename(`${storage.spoolRoot}-away`, path);
    await committing.leave();
  });

  test("is away, and the process dies, is handed over and joined by the next holder", async () => {
    const { step, record } = await begin();
    const first = await openCommitter(storage);
    const { writer } = openWriter(record, first);
    writeNumbers(writer, 0, 100);
    await writer.settled(never);
    storage.line.refuse();
    for (let n = 100; n < 400; n += 50) writeNumbers(writer, n, n + 50);
    await expect.poll(() => first.committer.pressure.spoolBytes, { timeout: 10_000 }).toBeGreaterThan(0);
    await expect.poll(() => first.committer.pressure.memoryBytes, { timeout: 10_000 }).toBe(0);
    // What a crash leaves behind: files, and an owner that does not live.
    await first.leave();
    const [folder] = await readdir(storage.spoolRoot);
    await declareDead(join(storage.spoolRoot, folder!));
    storage.line.accept();

    const fence = await step.steal();
    const taken = (await storage.direct.openStream({ stepId: step.id, fence, instance: INSTANCE }))!;
    expect(taken.nextSeq).toBe(100);
    // A server that starts and others that look for such folders may do it at the same time.
    const adopted = await Promise.all(upTo(3).map(() => adoptSpools(storage.spoolRoot, storage.direct, quiet)));
    expect(Math.max(...adopted)).toBeGreaterThan(0);
    expect(await readdir(storage.spoolRoot)).toEqual([]);
    const second = await openCommitter(storage);
    const next = openWriter(taken, second);
    // The next holder has read some of it again before it hears of the rest.
    writeNumbers(next.writer, 100, 130);
    await next.writer.settled(never);
    const deps = { store: storage.direct, openChunk: openStoredChunk };
    expect(await joinHandovers(next.writer, null, deps, never)).toEqual({ source: "api" });
    expect(await storedNumbers(storage.direct, taken)).toEqual(upTo(400));
    expect(await storage.direct.listHandovers(taken)).toEqual([]);
    await second.leave();
  });

  test("has given the stream to another holder is not written, and handed over", async () => {
    const { step, record } = await begin();
    const committing = await openCommitter(storage);
    const { writer, events } = openWriter(record, committing);
    writeNumbers(writer, 0, 10);
    await writer.settled(never);
    const fence = await step.steal();
    const taken = (await storage.direct.openStream({ stepId: step.id, fence, instance: INSTANCE }))!;
    writeNumbers(writer, 10, 20);
    await writer.settled(never);
    expect(events.lost).toBe(true);
    expect(await storedNumbers(storage.direct, taken)).toEqual(upTo(10));
    const [handover] = await storage.direct.listHandovers(taken);
    expect(handover?.commit).toMatchObject({ firstSeq: 10, chunks: [{ firstSeq: 10, lines: 10 }] });
    await committing.leave();
  });
});

/** As if the process that the folder belongs to had been another one. */
async function declareDead(folder: string): Promise<void> {
  await writeFile(join(folder, "owner"), JSON.stringify({ host: hostname(), pid: process.pid, startedAt: 0 }));
}
