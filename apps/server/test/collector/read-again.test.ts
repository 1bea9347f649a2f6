import { STDERR, type NodeLogs } from "@tailrace/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHash } from "node:crypto";
import { NodeAccess } from "../../src/collector/node-access.ts";
import { sealStream } from "../../src/collector/seal-stream.ts";
import { StreamAdmission } from "../../src/collector/stream-admission.ts";
import { Gate } from "../../src/supervisor/gate.ts";
import { openStoredChunk, storeChunk } from "@tailrace/store";
import {
  claimedStep,
  INSTANCE,
  openCommitter,
  openStorage,
  openWriter,
  quiet,
  type Storage,
} from "../support/collected.ts";

const never = new AbortController().signal;
const node = { name: "node-1", address: "127.0.0.1" };

/** A line as the stream has it. */
interface Line {
  text: string;
  stderr?: boolean;
}

/** A node that has one file of the container. */
function nodeWith(entries: string): NodeLogs {
  const bytes = Buffer.from(entries);
  return {
    by: "kubelet",
    list: async () => ["0.log"],
    read: async (_, { place }, take) => {
      const rest = bytes.subarray(place.offset);
      if (rest.length > 0) take(rest, { stop: () => undefined, resume: () => undefined });
      return { kind: "read", bytes: rest.length };
    },
  };
}

function entry(text: string, { stderr = false, partial = false } = {}): string {
  return `2026-11-24T10:00:00.000000001Z ${stderr ? "stderr" : "stdout"} ${partial ? "P" : "F"} ${text}\n`;
}

describe("the second reading of a log whose oldest file is gone", { timeout: 60_000 }, () => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openStorage();
  });
  afterAll(() => storage?.[Symbol.asyncDispose]());

  async function seal(stored: readonly Line[], file: string, { hasFailed = false } = {}) {
    const step = await claimedStep(storage.direct);
    const record = (await storage.direct.openStream({ stepId: step.id, fence: step.fence, instance: INSTANCE }))!;
    const committing = await openCommitter(storage);
    const { committer, pool } = committing;
    const { writer } = openWriter(record, committing);
    writer.use("node");
    for (const [index, { text, stderr }] of stored.entries()) {
      const bytes = Buffer.from(text);
      writer.builder.reserve(bytes.length);
      writer.builder.bytes.set(bytes, writer.builder.end);
      writer.builder.line(writer.builder.end + bytes.length, 1_764_000_000 + index, 0, stderr === true ? STDERR : 0);
    }
    writer.flush({ source: "api" });
    await writer.settled(never);
    const access = new NodeAccess(quiet);
    access.allow(nodeWith(file));
    if (hasFailed) access.failed(node, "HTTP 500");
    const view = { instance: INSTANCE, node, terminated: true, gone: false, previous: false };
    const deps = {
      store: storage.direct,
      openChunk: openStoredChunk,
      storeChunk,
      committer,
      pool,
      compactions: new Gate(1),
      admission: new StreamAdmission(committer),
      access,
      podLogs: { readPodLogs: () => Promise.reject(new Error("not asked")) },
      log: quiet,
      onReopen: () => undefined,
      onGap: () => undefined,
      onSealed: () => undefined,
      onUnjoined: () => undefined,
      onLost: () => undefined,
    };
    const result = await sealStream(writer, { source: "node", truncated: null, view }, deps, never);
    await committing.leave();
    return result;
  }

  const lines = ["first", "a long line", "third", "fourth"].map((text) => ({ text }));

  test("agrees with all of it", async () => {
    const sha256 = createHash("sha256").update("first\na long line\nthird\nfourth\n").digest("hex");
    const file = lines.map(({ text }) => entry(text)).join("");
    expect(await seal(lines, file)).toMatchObject({ verified: "full", lines: 4, sha256, truncated: null });
  });

  test("is made where the node has failed a moment ago", async () => {
    const file = lines.map(({ text }) => entry(text)).join("");
    expect(await seal(lines, file, { hasFailed: true })).toMatchObject({ verified: "full", truncated: null });
  });

  test("agrees with the end of it", async () => {
    expect(await seal(lines, entry("third") + entry("fourth"))).toMatchObject({ verified: "suffix", truncated: null });
  });

  test("agrees where the file begins in the middle of a line", async () => {
    const file = entry("line") + entry("third") + entry("fourth");
    expect(await seal(lines, file)).toMatchObject({ verified: "suffix", truncated: null });
  });

  test("agrees where the file begins in the middle of a line of stdout and of one of stderr", async () => {
    const stored = [
      { text: "first" },
      { text: "cut out" },
      { text: "x" },
      { text: "cut err", stderr: true },
      { text: "y" },
    ];
    const file = entry("out") + entry("x") + entry("err", { stderr: true }) + entry("y");
    expect(await seal(stored, file)).toMatchObject({ verified: "suffix", truncated: null });
  });

  test("says nothing where nothing of it is left, as behind a rotation at the output's end", async () => {
    expect(await seal(lines, "")).toMatchObject({ verified: null, lines: 4, truncated: null });
  });

  test("says nothing where only the end of its last line is left", async () => {
    expect(await seal(lines, entry("rth"))).toMatchObject({ verified: null, lines: 4, truncated: null });
  });

  test.each([
    ["another line", entry("line") + entry("third") + entry("5th")],
    ["a line less", entry("first") + entry("a long line") + entry("fourth")],
    ["a line more", entry("third") + entry("fourth") + entry("fifth")],
  ])("does not agree where it has %s", async (_, file) => {
    expect(await seal(lines, file)).toMatchObject({
      verified: null,
      truncated: "a second reading of the log did not agree with the first",
    });
  });
});
