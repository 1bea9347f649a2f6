import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StreamCommit } from "@tailrace/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DiskQueue, type QueueHead } from "../../src/collector/spool/disk-queue.ts";
import { HEADER_BYTES, readBody, readHeader, SpoolRecordError, writeRecord } from "../../src/collector/spool/record.ts";

function commit(firstSeq: number, size = 10): StreamCommit {
  return {
    stream: { id: 7, day: "2026-11-24" },
    stepId: "step-0",
    fence: 3,
    firstSeq,
    chunks: [
      {
        firstSeq,
        lines: 2,
        lineBytes: 20,
        timeBytes: 4,
        payloadBytes: 24,
        outputBytes: 19,
        firstTime: 1_764_000_000_123_456_789n,
        minTime: -5n,
        maxTime: 1_764_000_000_123_456_789n,
        priorTime: 0n,
        levels: 4,
        standardStreams: true,
        codec: "zstd",
        checksum: 4_000_000_000,
        data: new Uint8Array(size).fill(firstSeq % 256),
      },
    ],
    gaps: [{ seq: firstSeq, reason: "rotated", certain: true, from: 12n, until: null }],
    position: {
      source: "node",
      file: "0.log.20261124-135413",
      place: { offset: 2 ** 40, entryBytes: 170, entryHash: "00ff00ff00ff00ff" },
      pending: [{ stderr: true, seconds: 1, nanos: 2, bytes: Uint8Array.of(0, 10, 255) }],
    },
    counts: { unglued: 0, headRests: 1, malformed: 2 },
  };
}

const plain = (value: StreamCommit): StreamCommit => ({
  ...value,
  chunks: value.chunks.map((chunk) => ({ ...chunk, data: new Uint8Array(chunk.data) })),
});

describe("a record", () => {
  test("reads back as it was written", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(5000), (firstSeq, size) => {
        const record = writeRecord(commit(firstSeq, size));
        const { bodyBytes, checksum } = readHeader(record.subarray(0, HEADER_BYTES));
        expect(record.length).toBe(HEADER_BYTES + bodyBytes);
        expect(plain(readBody(record.subarray(HEADER_BYTES), checksum))).toEqual(commit(firstSeq, size));
      }),
    );
  });

  test("with one other byte is refused", () => {
    const record = writeRecord(commit(1));
    fc.assert(
      fc.property(fc.nat(record.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(record);
        damaged[at]! ^= change;
        expect(() => {
          const { bodyBytes, checksum } = readHeader(damaged.subarray(0, HEADER_BYTES));
          if (bodyBytes !== damaged.length - HEADER_BYTES) throw new SpoolRecordError("another length");
          readBody(damaged.subarray(HEADER_BYTES), checksum);
        }).toThrow(SpoolRecordError);
      }),
    );
  });
});

const ONE = { commits: 1, bytes: 1 };

const seqsOf = ({ commits }: QueueHead): number[] => commits.map(({ firstSeq }) => firstSeq);

describe("DiskQueue", () => {
  let directory: string;
  const damages: string[] = [];
  const open = (): Promise<DiskQueue> => DiskQueue.open(directory, (file) => damages.push(file));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tailrace-spool-"));
    damages.length = 0;
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function drain(queue: DiskQueue): Promise<number[]> {
    const seqs: number[] = [];
    for (let next = await queue.peek(ONE); next !== null; next = await queue.peek(ONE)) {
      seqs.push(...seqsOf(next));
      await next.drop();
    }
    return seqs;
  }

  test("gives back in order what was put in, whenever it is asked, and then has no files", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(3_000_000), fc.constant("read" as const)), { maxLength: 25 }),
        fc.record({ commits: fc.integer({ min: 1, max: 6 }), bytes: fc.integer({ min: 1, max: 8_000_000 }) }),
        async (steps, most) => {
          const queue = await open();
          const written: number[] = [];
          const read: number[] = [];
          for (const step of steps) {
            if (step === "read") {
              const next = await queue.peek(most);
              if (next !== null) read.push(...seqsOf(next));
              expect(next?.commits.length ?? 1).toBeGreaterThan(0);
              expect(next?.commits.length ?? 1).toBeLessThanOrEqual(most.commits);
              await next?.drop();
            } else {
              await queue.push(commit(written.length, step));
              written.push(written.length);
            }
          }
          read.push(...(await drain(queue)));
          expect(read).toEqual(written);
          expect([queue.bytes, queue.empty, await readdir(directory)]).toEqual([0, true, []]);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("what was peeked at stays until it is dropped, also for the next process", async () => {
    const first = await open();
    for (let seq = 0; seq < 5; seq += 1) await first.push(commit(seq));
    await (await first.peek(ONE))!.drop();
    expect(seqsOf((await first.peek({ commits: 3, bytes: 1_000_000 }))!)).toEqual([1, 2, 3]);
    expect(seqsOf((await first.peek({ commits: 3, bytes: 1 }))!)).toEqual([1]);
    await first.close();
    const second = await open();
    // A record that was dropped may come once more: nobody wrote that down.
    expect((await drain(second)).slice(-4)).toEqual([1, 2, 3, 4]);
  });

  test("calls that overlap keep their order", async () => {
    const queue = await open();
    await Promise.all(Array.from({ length: 50 }, (_, seq) => queue.push(commit(seq, 1000))));
    expect(await drain(queue)).toEqual(Array.from({ length: 50 }, (_, seq) => seq));
  });

  test("a file with a half record is kept under another name, and the rest goes on", async () => {
    const first = await open();
    await first.push(commit(0));
    await first.close();
    await appendFile(join(directory, "00000001.spool"), writeRecord(commit(1)).subarray(0, 40));
    await writeFile(join(directory, "00000002.spool"), writeRecord(commit(2)));
    const second = await open();
    expect(seqsOf((await second.peek({ commits: 3, bytes: 1_000_000 }))!)).toEqual([0]);
    expect(await drain(second)).toEqual([0, 2]);
    expect(damages).toEqual([join(directory, "00000001.spool.damaged")]);
    expect(await readdir(directory)).toEqual(["00000001.spool.damaged"]);
  });

  test("tells how many of its own records were in a file that is damaged", async () => {
    const queue = await open();
    // A file is closed behind 16 MiB.
    for (let seq = 0; seq < 4; seq += 1) await queue.push(commit(seq, 9_000_000));
    const file = join(directory, "00000001.spool");
    const bytes = await readFile(file);
    const second = writeRecord(commit(0, 9_000_000)).length + 1000;
    bytes[second] = bytes[second]! ^ 1;
    await writeFile(file, bytes);
    const first = (await queue.peek(ONE))!;
    expect([seqsOf(first), first.damaged]).toEqual([[0], 0]);
    await first.drop();
    const next = (await queue.peek(ONE))!;
    expect([seqsOf(next), next.damaged]).toEqual([[2], 1]);
    await queue.close();
  });
});
