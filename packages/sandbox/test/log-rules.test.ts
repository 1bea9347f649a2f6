import fc from "fast-check";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseRecord, RecordSplitter, type TakeContent } from "../src/logs/cri.ts";
import { LogFile } from "../src/logs/log-file.ts";
import { readLog, type ReadOptions } from "../src/logs/read-log.ts";
import { RecordBatch } from "../src/logs/record-batch.ts";
import { parseLogRequest } from "../src/logs/request.ts";
import { recorded } from "./recorded.ts";

const WHOLE: ReadOptions = {
  timestamps: true,
  since: undefined,
  limitBytes: undefined,
  follow: false,
  tailLines: undefined,
  tickMs: 10,
};

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "tailrace-log-"))));
afterAll(() => rm(folder, { recursive: true }));

describe("records", () => {
  test("however the bytes arrive, they are cut into the same records", () => {
    const text = fc
      .array(fc.constantFrom("a", "\r", "\n", "é", "x".repeat(9000)), { maxLength: 30 })
      .map((parts) => Buffer.from(parts.join("")));
    fc.assert(
      fc.property(text, fc.array(fc.nat(40_000), { maxLength: 5 }), (bytes, cuts) => {
        const split = (chunks: Buffer[]): { partial: boolean; content: string }[] => {
          const splitter = new RecordSplitter();
          const records: { partial: boolean; content: string }[] = [];
          const take: TakeContent = (partial, lent, start, end) =>
            void records.push({ partial, content: lent.toString("latin1", start, end) });
          for (const chunk of chunks) {
            // The chunk is only lent.
            const own = Buffer.from(chunk);
            splitter.push(own, take);
            own.fill(0);
          }
          splitter.end(take);
          return records;
        };
        const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const pieces = edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge));
        const whole = split([bytes]);
        expect(split(pieces)).toEqual(whole);
        expect(whole.every(({ content }) => content.length <= 16_384)).toBe(true);
        const joined = whole.map(({ partial, content }) => content + (partial ? "" : "\n")).join("");
        expect(joined).toBe(bytes.toString("latin1").replaceAll("\r\n", "\n"));
      }),
    );
  });

  test("a record is read as it was written, its time padded to nine digits", () => {
    const batch = new RecordBatch();
    batch.add("2026-11-23T16:22:29.240000000Z", "stderr", true, Buffer.from("[a b]"), 1, 4);
    batch.add("2026-11-23T16:22:29.000000000Z", "stdout", false, Buffer.alloc(0), 0, 0);
    const bytes = batch.take();
    expect(bytes.toString()).toBe("2026-11-23T16:22:29.24Z stderr P a b\n2026-11-23T16:22:29Z stdout F \n");
    expect(batch.take()).toHaveLength(0);
    expect(parseRecord(bytes.subarray(0, bytes.indexOf("\n")))).toEqual({
      time: "2026-11-23T16:22:29.240000000Z",
      partial: true,
      content: Buffer.from("a b"),
    });
  });
});

describe("reading", () => {
  /** What the recorded container `long` wrote, at the times that its tails showed. */
  function recordedLong(): LogFile {
    const [first, , last] = recorded("plain-long")
      .body.split("\n")
      .map((line) => line.slice(0, 30));
    const pieces = ["long-tail-4", "long-tail-3", "long-tail-2"].map((id) => recorded(id).body.slice(0, 30));
    const times = [first!, ...pieces, last!];
    const log = new LogFile(join(folder, "long.log"), "/nowhere", () => times.shift()!);
    log.write("stdout", Buffer.from(`one\n${"x".repeat(40_000)}END\ntwo\n`));
    log.end();
    return log;
  }

  test.each([
    "plain-long",
    "long-tail-1",
    "long-tail-2",
    "long-tail-3",
    "long-tail-4",
    "long-limit-20000",
    "long-limit-50",
    "long-since-second-line",
    "long-since-last-line",
    "long-since-future",
    "ended-follow",
  ])("%s is answered byte by byte as it was recorded", async (id) => {
    const { request, body } = recorded(id);
    const query = new URLSearchParams(request.split("?")[1]);
    const options = { ...parseLogRequest("bytes", query, new Date()), tickMs: 10 };
    expect(await text(recordedLong(), options)).toBe(body);
  });

  test("an unfinished piece of one stream is glued to what the other writes next", async () => {
    const log = new LogFile(join(folder, "mixed.log"), "/nowhere");
    log.write("stderr", Buffer.from("unfinished"));
    log.endStream("stderr");
    log.write("stdout", Buffer.from("out2\nout3\n"));
    log.end();
    const lines = (await text(log, WHOLE)).split("\n").map((line) => line.slice(31));
    const glued = recorded("plain-stderr-closes-first")
      .body.split("\n")
      .map((line) => line.slice(31));
    expect(lines).toEqual(glued.slice(1));
  });

  test("following gives what comes, and ends after the container's end", async () => {
    const log = new LogFile(join(folder, "follow.log"), "/nowhere");
    log.write("stdout", Buffer.from("one\n"));
    const followed = text(log, { ...WHOLE, timestamps: false, follow: true });
    log.write("stdout", Buffer.from("two\nthr"));
    log.write("stdout", Buffer.from("ee"));
    log.end();
    expect(await followed).toBe("one\ntwo\nthree");
  });

  test("the root of a container on this machine does not show in its log", async () => {
    const log = new LogFile(join(folder, "hidden.log"), "/somewhere/root");
    log.write("stdout", Buffer.from("at file:///somewhere/root/test/script.js:3\n"));
    log.end();
    expect(await text(log, { ...WHOLE, timestamps: false })).toBe("at file:///test/script.js:3\n");
  });

  async function text(log: LogFile, options: ReadOptions): Promise<string> {
    const pieces: Buffer[] = [];
    for await (const piece of readLog(log, options, new AbortController().signal)) pieces.push(piece);
    return Buffer.concat(pieces).toString("latin1");
  }
});
