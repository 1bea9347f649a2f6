import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesToRead,
  MAX_CONTAINER_BYTES,
  readPodLogAnswer,
  tailLinesToRequest,
  type ContainerRead,
} from "../src/index.ts";

interface Recorded {
  id: string;
  request: string;
  status?: number;
  contentType?: string;
  body?: string;
}

const recorded: Recorded[] = readFileSync(new URL("fixtures/log-api/responses.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded);

function judge(body: string | Uint8Array, tailLines = 1000, status = 200, cut = false): ContainerRead {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return readPodLogAnswer({ status, contentType: "text/plain", body: bytes, cut }, tailLines);
}

function judgeRecorded(id: string, nth = 0, tailLines = 1000): ContainerRead {
  const answer = recorded.filter((candidate) => candidate.id === id)[nth];
  if (answer?.status === undefined) throw new Error(`no recording ${id}`);
  return judge(answer.body ?? "", tailLines, answer.status);
}

function logOf(...lines: string[]): ContainerRead {
  return { kind: "log", lines, truncated: false, diagnostic: null };
}

describe("readPodLogAnswer, on recorded answers", () => {
  test.each([
    ["unscheduled", 0, { kind: "waiting", reason: "the pod is not scheduled yet" }],
    ["just-created", 0, { kind: "waiting", reason: "ContainerCreating" }],
    ["just-created", 1, logOf("tick")],
    ["initialising-main", 0, { kind: "waiting", reason: "PodInitializing" }],
    ["initialising-init", 0, logOf("init")],
    ["waiting-for-image", 0, { kind: "waiting", reason: "image can't be pulled" }],
    ["unknown-pod", 0, { kind: "gone", reason: 'pods "nothing" not found' }],
    ["unknown-container", 0, { kind: "failed", reason: "HTTP 400: container nope is not valid for pod bytes" }],
    ["plain-empty", 0, logOf()],
    ["plain-no-newline", 0, logOf("one", "two")],
    ["plain-crlf", 0, logOf("a", "b\r", "c", "", "d\r")],
    ["plain-stderr-closes-first", 0, logOf("out1", "unfinishedout2", "out3")],
    ["plain-late-newline", 0, logOf("err", "half and half")],
    ["restarting-current", 0, logOf("start", "end")],
  ] as const)("%s (%i)", (id, nth, expected) => {
    expect(judgeRecorded(id, nth)).toEqual(expected);
  });

  test("the kubelet's own text under a 200 is never a log", () => {
    const read = judgeRecorded("restarting-previous", 1);
    expect(read).toEqual({
      kind: "gone",
      reason: expect.stringMatching(/^unable to retrieve container logs for containerd:\/\//),
    });
  });

  test("a pod that the kubelet does not know yet is asked for again", () => {
    const body = JSON.stringify({
      kind: "Status",
      status: "Failure",
      message: "the server could not find the requested resource ( pods/log run-1-abcde)",
      reason: "NotFound",
      details: { name: "run-1-abcde", kind: "pods/log" },
      code: 404,
    });
    expect(judge(body, 1000, 404).kind).toBe("retry");
  });

  test.each([401, 429, 500, 502, 503])("status %i is asked for again", (status) => {
    expect(judge('{"message":"no"}', 1000, status)).toEqual({ kind: "retry", reason: `HTTP ${status}: no` });
  });

  test("status 403 is final and says why", () => {
    expect(judge("forbidden by a proxy\n", 1000, 403)).toEqual({
      kind: "failed",
      reason: "HTTP 403: forbidden by a proxy",
    });
  });

  test("a long line that the tail begins in the middle of is left out", () => {
    expect(tailLinesToRequest(1)).toBe(2);
    expect(judgeRecorded("long-tail-2", 0, 1)).toEqual(logOf("two"));
    expect(judgeRecorded("long-tail-3", 0, 2)).toEqual(logOf("two"));
    const whole = judgeRecorded("plain-long");
    expect(whole.kind === "log" && whole.lines.map((line) => line.length)).toEqual([3, 40_003, 3]);
  });
});

describe("readPodLogAnswer, its limits", () => {
  const stamp = "2026-11-23T16:22:29.000000001Z ";

  test("gives at most tailLines lines, the newest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 20 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        (all, tail) => {
          const served = all.slice(-tailLinesToRequest(tail));
          const read = judge(served.map((line) => `${stamp}${line}\n`).join(""), tail);
          expect(read).toEqual(logOf(...all.slice(-tail)));
        },
      ),
    );
  });

  test("never gives more than 256 KiB, and says that it cut", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 150_000 }), { minLength: 1, maxLength: 6 }), (sizes) => {
        const lines = sizes.map((size, index) => "é".repeat(size / 2) + index);
        const read = judge(lines.map((line) => `${stamp}${line}`).join("\n"));
        if (read.kind !== "log") throw new Error(read.kind);
        const bytes = new TextEncoder().encode(read.lines.map((line) => `${line}\n`).join("")).length;
        const total = new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")).length;
        expect(bytes).toBeLessThanOrEqual(MAX_CONTAINER_BYTES);
        expect(read.truncated).toBe(total > MAX_CONTAINER_BYTES);
        expect(lines.join("\n").endsWith(read.lines.join("\n"))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("a body that was cut at the front loses the partial line only", () => {
    const read = judge(`rtial\n${stamp}whole\n`, 1000, 200, true);
    expect(read).toEqual({ kind: "log", lines: ["whole"], truncated: true, diagnostic: null });
    expect(bytesToRead(1000)).toBeGreaterThan(MAX_CONTAINER_BYTES);
  });

  test("an error of the kubelet behind good lines is told apart from them", () => {
    expect(judge(`${stamp}good\nfailed to read the log file`)).toEqual({
      kind: "log",
      lines: ["good"],
      truncated: false,
      diagnostic: "failed to read the log file",
    });
  });

  test("counts the pieces of a line by the bytes that were written", () => {
    const nuls = new Uint8Array([...new TextEncoder().encode(stamp), ...new Uint8Array(6000)]);
    expect(judge(nuls, 1)).toEqual(logOf("\u2400".repeat(6000)));
  });

  test("takes offsets other than Z and fewer digits", () => {
    expect(judge("2026-11-23T16:22:29.5+02:00 a\n2026-11-23T16:22:29-07:00 b\n")).toEqual(logOf("a", "b"));
  });

  test("replaces what PostgreSQL's text does not take", () => {
    const bytes = new Uint8Array([...new TextEncoder().encode(stamp), 0x61, 0x00, 0xff, 0xe2, 0x82, 0x0a]);
    expect(judge(bytes)).toEqual(logOf("a\u2400\ufffd\ufffd"));
  });

  test.each([
    ["odd-bytes-1-n8zmc_k6.log", false],
    ["odd-bytes-raw-1-sfcw2_k6.log", true],
  ])("reads %s as text that PostgreSQL takes", (file, hasNul) => {
    const bytes = new Uint8Array(readFileSync(new URL(`fixtures/odd-bytes/${file}`, import.meta.url)));
    const read = judge(bytes);
    if (read.kind !== "log") throw new Error(read.kind);
    const text = read.lines.join("\n");
    expect(read.lines.length).toBeGreaterThan(15);
    expect(read.diagnostic).toBeNull();
    expect(text.isWellFormed()).toBe(true);
    expect(text.includes("\ufffd")).toBe(true);
    expect(text.includes("\0")).toBe(false);
    expect(bytes.includes(0)).toBe(hasNul);
    expect(text.includes("\u2400")).toBe(hasNul);
  });
});
