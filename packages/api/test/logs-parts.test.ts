import { TailraceError, formatInstant } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { chooseCoding } from "../src/http/encoding.ts";
import { toLogFilter, withOwnFields } from "../src/logs/line-filter.ts";
import { lineText } from "../src/logs/line-text.ts";
import { orderStreams } from "../src/logs/order-streams.ts";
import { selectStreams } from "../src/logs/select-streams.ts";
import { TimeFormat } from "../src/logs/time-format.ts";
import { duration, instant } from "../src/schemas/times.ts";
import { logStream } from "./log-stream.ts";

const NO_FILTER = { include: [], exclude: [], includeRegex: [], excludeRegex: [], ignoreCase: false };

describe("times", () => {
  const schema = instant("from");

  it.each([
    ["2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000000000Z"],
    ["2026-11-24T10:00:00.123456789Z", "2026-11-24T10:00:00.123456789Z"],
    ["2026-11-24T10:00:00.5+02:00", "2026-11-24T08:00:00.500000000Z"],
    ["2026-11-24T10:00:00-05:30", "2026-11-24T15:30:00.000000000Z"],
    ["1900-01-01T00:00:00Z", "1970-01-01T00:00:00.000000000Z"],
    ["9999-12-31T23:59:59Z", "2262-04-11T23:47:16.854775806Z"],
  ])("%s is %s", (text, expected) => expect(formatInstant(schema.parse(text))).toBe(expected));

  it.each([
    ["2026-11-24"],
    ["2026-11-24T10:00:00"],
    ["2026-11-24T10:00Z"],
    ["2026-02-30T10:00:00Z"],
    ["2026-11-24T10:00:00.1234567891Z"],
    ["yesterday"],
    [""],
    [1_795_514_400_000],
  ])("refuses %j and names the field", (value) => {
    const { error } = z.object({ from: schema }).safeParse({ from: value });
    expect(error?.issues).toHaveLength(1);
    expect(error?.issues[0]?.message).toMatch(/^from must be a time with an offset and at most 9 fraction digits/);
  });

  it.each([
    ["1ms", 1],
    ["10s", 10_000],
    ["1m", 60_000],
    ["24h", 86_400_000],
    ["9999d", 863_913_600_000],
  ])("a length of %s is %i ms", (text, expected) => expect(duration("bucket").parse(text)).toBe(expected));

  it.each([["0s"], ["1"], ["-1s"], ["1.5s"], ["10000s"], ["1 s"], ["1w"], [""], [60]])(
    "refuses the length %j",
    (value) => {
      expect(duration("bucket").safeParse(value).error?.issues[0]?.message).toMatch(/^bucket must be a whole number/);
    },
  );

  it("are formatted as core formats them, in any order", () => {
    const time = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    const near = fc.tuple(time, fc.array(fc.bigInt({ min: 0n, max: 3_000_000_000n }), { maxLength: 10 }));
    fc.assert(
      fc.property(near, ([first, steps]) => {
        const format = new TimeFormat();
        for (const step of [0n, ...steps]) expect(format.format(first + step)).toBe(formatInstant(first + step));
      }),
    );
  });
});

describe("chooseCoding", () => {
  it.each([
    [undefined, "identity"],
    ["", "identity"],
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip, deflate, br", "gzip"],
    ["x-gzip", "gzip"],
    ["GZIP", "gzip"],
    ["zstd;q=0.5, gzip;q=0.8", "gzip"],
    ["zstd; q=0, gzip; q=0.001", "gzip"],
    ["identity, gzip;q=0.5", "identity"],
    ["identity;q=0.2, gzip;q=0.5", "gzip"],
    ["*", "zstd"],
    ["zstd;q=0, *", "gzip"],
    ["br", "identity"],
    ["br, identity;q=0", "identity"],
    ["gzip;q=nonsense", "identity"],
  ])("%j is %s", (header, expected) => expect(chooseCoding(header)).toBe(expected));
});

describe("lineText", () => {
  it("gives the bytes too where the text does not hold them, and only there", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const { line, base64 } = lineText(bytes);
          const exact = Buffer.from(line).equals(bytes);
          expect(base64 === null).toBe(exact);
          if (base64 !== null) expect(Buffer.from(base64, "base64").equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("orderStreams", () => {
  it("is that of the snapshot: initializer, starter, runners by number, init containers first", () => {
    const streams = [
      logStream({ pod: "t-10-x", runner: 10 }),
      logStream({ pod: "t-2-x", runner: 2 }),
      logStream({ pod: "t-2-x", runner: 2, restart: 1 }),
      logStream({ pod: "t-2-x", runner: 2, role: "init", container: "setup" }),
      logStream({ pod: "t-2-x", runner: 2, container: "agent" }),
      logStream({ pod: "t-starter-x", role: "starter", runner: null }),
      logStream({ pod: "other-x", role: "other", runner: null }),
      logStream({ pod: "t-initializer-x", role: "initializer", runner: null }),
      logStream({ pod: "t-initializer-x", role: "init", runner: null, container: "wait" }),
      logStream({ pod: "t-2-x", runner: 2, container: "agent", restart: 1 }),
    ].map((stream, ordinal) => ({ ...stream, ordinal }));
    const shown = orderStreams(streams).map(({ pod, container, restart }) => `${pod}/${container}#${restart}`);
    expect(shown).toEqual([
      "t-initializer-x/wait#0",
      "t-initializer-x/k6#0",
      "t-starter-x/k6#0",
      "t-2-x/setup#0",
      "t-2-x/k6#0",
      "t-2-x/k6#1",
      "t-2-x/agent#0",
      "t-2-x/agent#1",
      "t-10-x/k6#0",
      "other-x/k6#0",
    ]);
  });
});

describe("selectStreams", () => {
  const streams = [
    logStream({ pod: "a", runner: 1 }),
    logStream({ pod: "b", runner: 2, container: "agent" }),
    logStream({ pod: "c", runner: null, role: "starter" }),
    logStream({ pod: "d", runner: 2, role: "init" }),
  ];
  const pods = (selection: object): string[] => selectStreams(streams, selection, "run-1").map(({ pod }) => pod);

  it.each([
    [{}, ["a", "b", "c", "d"]],
    [{ pods: ["a", "c", "none"] }, ["a", "c"]],
    [{ containers: ["agent"] }, ["b"]],
    [{ roles: ["starter", "init"] }, ["c", "d"]],
    [{ runners: [2] }, ["b", "d"]],
    [{ runners: [1, 2], roles: ["runner"] }, ["a", "b"]],
    [{ runners: [1, 2], containers: ["agent"] }, ["b"]],
    [{ pods: ["none"] }, []],
  ])("%j selects %j", (selection, expected) => expect(pods(selection)).toEqual(expected));

  it("says that lines were deleted rather than that there are none", () => {
    const expired = [...streams, logStream({ pod: "e", expired: true })];
    const message = 'the logs of test run "run-1" were deleted because of their age';
    expect(() => selectStreams(expired, {}, "run-1")).toThrow(message);
    expect(selectStreams(expired, { pods: ["a"] }, "run-1")).toHaveLength(1);
  });
});

describe("filters", () => {
  it("have substrings before expressions, and no level for none", () => {
    expect(toLogFilter({ ...NO_FILTER, include: ["a"], includeRegex: ["b"], levels: ["error", "none"] })).toEqual({
      include: [
        { kind: "substring", text: "a" },
        { kind: "regex", text: "b" },
      ],
      exclude: [],
      ignoreCase: false,
      levels: ["error", null],
    });
  });

  it.each([
    ["include.1", "include.1"],
    ["include.2", "includeRegex.0"],
    ["exclude.0", "excludeRegex.0"],
    ["bucketMs", "bucket"],
    ["limit", "limit"],
  ])("name the store's %s %s", async (path, expected) => {
    const refused = new TailraceError("BAD_REQUEST", "m", { issues: [{ path, message: `${path} must be right` }] });
    const input = { ...NO_FILTER, include: ["a", "b"], includeRegex: ["("], excludeRegex: ["("] };
    await expect(withOwnFields(input, Promise.reject(refused))).rejects.toMatchObject({
      code: "BAD_REQUEST",
      message: `${expected} must be right`,
      issues: [{ path: expected, message: `${expected} must be right` }],
    });
  });

  it.each([
    ["must be another", "includeRegex.0 must be another"],
    ["this takes too long", "includeRegex.0: this takes too long"],
  ])("name the field where the store says %j", async (message, expected) => {
    const refused = new TailraceError("BAD_REQUEST", message, { issues: [{ path: "include.0", message }] });
    const input = { ...NO_FILTER, includeRegex: ["("] };
    await expect(withOwnFields(input, Promise.reject(refused))).rejects.toMatchObject({ message: expected });
  });

  it("leave other failures as they are", async () => {
    const failure = new TailraceError("UNAVAILABLE", "m");
    await expect(withOwnFields(NO_FILTER, Promise.reject(failure))).rejects.toBe(failure);
  });
});
