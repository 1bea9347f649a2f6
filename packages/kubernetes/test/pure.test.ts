import { ClusterError, type ClusterErrorCode } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TailBuffer } from "../src/tail-buffer.ts";
import { readEvent } from "../src/watch/event.ts";
import { LineSplitter } from "../src/watch/line-splitter.ts";
import { type Ending, nextAttempt } from "../src/watch/next-attempt.ts";
import { DEFAULT_WATCH_SETTINGS as SETTINGS, jitter } from "../src/watch/settings.ts";

/** Cuts bytes at arbitrary places. */
function chunksOf(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], end));
}

const cutsOf = fc.array(fc.nat(), { maxLength: 20 });

describe("LineSplitter", () => {
  test("gives the same lines however the bytes were cut", () => {
    const line = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((text) => text.trim() !== "" && !text.includes("\n"));
    fc.assert(
      fc.property(fc.array(line), fc.string({ unit: "grapheme" }), cutsOf, (lines, rest, cuts) => {
        const unfinished = rest.replaceAll("\n", "");
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join("") + unfinished);
        const splitter = new LineSplitter(10_000);
        expect(chunksOf(bytes, cuts).flatMap((chunk) => splitter.push(chunk))).toEqual(lines);
      }),
    );
  });

  test("refuses a line above its limit, in one chunk or many", () => {
    const one = new LineSplitter(4);
    expect(one.push(Buffer.from("1234\n"))).toEqual(["1234"]);
    expect(() => one.push(Buffer.from("12345"))).toThrow(RangeError);
    const many = new LineSplitter(4);
    many.push(Buffer.from("123"));
    expect(() => many.push(Buffer.from("45\n"))).toThrow(RangeError);
  });
});

test("TailBuffer keeps exactly the last bytes, in little memory", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 100 }), cutsOf, (data, limit, cuts) => {
      const bytes = Buffer.from(data);
      const tail = new TailBuffer(limit);
      for (const chunk of chunksOf(bytes, cuts)) tail.push(chunk);
      expect(tail.bytes()).toEqual(bytes.subarray(Math.max(0, bytes.length - limit)));
      expect(tail.cut).toBe(bytes.length > limit);
    }),
  );
});

describe("readEvent", () => {
  const object = { metadata: { name: "p", uid: "u", resourceVersion: "7", managedFields: [{ manager: "x" }] } };

  test("reads objects without their managedFields, and bookmarks", () => {
    expect(readEvent(JSON.stringify({ type: "ADDED", object }), "w")).toEqual({
      type: "ADDED",
      resourceVersion: "7",
      object: { metadata: { name: "p", uid: "u", resourceVersion: "7" } },
    });
    const bookmark = { type: "BOOKMARK", object: { kind: "Pod", metadata: { resourceVersion: "9" } } };
    expect(readEvent(JSON.stringify(bookmark), "w")).toEqual({ type: "BOOKMARK", resourceVersion: "9" });
  });

  test.each([
    ['{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}', "gone"],
    ['{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd"}}', "server_error"],
    ['{"type":"ERROR","object":null}', "server_error"],
    ['{"type":"ADDED","obj', "server_error"],
    ["null", "server_error"],
    ['{"type":"ADDED","object":{"metadata":{"name":"p"}}}', "server_error"],
    ['{"type":"SOMETHING","object":{"metadata":{"name":"p","uid":"u","resourceVersion":"1"}}}', "server_error"],
  ])("%s is an error", (line, code) => {
    const event = readEvent(line, "w");
    expect(event.type === "ERROR" && event.error.code).toBe(code);
  });
});

describe("nextAttempt", () => {
  const fresh = { resourceVersion: "5", failures: 0 };
  const failed = (
    code: ClusterErrorCode,
    more: Partial<Ending & { kind: "failed" }> = {},
    retryAfterMs?: number,
  ): Ending => ({
    kind: "failed",
    error: new ClusterError(code, code, { retryAfterMs }),
    resourceVersion: "7",
    progressed: false,
    ...more,
  });

  test("a clean end goes on at once where it was", () => {
    const ending: Ending = { kind: "ended", resourceVersion: "7", progressed: true };
    const next = nextAttempt({ resourceVersion: "5", failures: 4 }, ending, SETTINGS, 0.5);
    expect(next).toEqual({ resourceVersion: "7", failures: 0, waitMs: 0, problem: undefined });
  });

  test("a watch that ends as soon as it begins waits like a failure", () => {
    const ending: Ending = { kind: "ended", resourceVersion: "7", progressed: false };
    const next = nextAttempt(fresh, ending, SETTINGS, 0.5);
    expect(next).toMatchObject({ resourceVersion: "7", failures: 1, problem: "the watch ends as soon as it begins" });
    expect(next.waitMs).toBeGreaterThan(0);
  });

  test("the time to list again is no failure", () => {
    const next = nextAttempt({ resourceVersion: "5", failures: 2 }, { kind: "relist" }, SETTINGS, 0.5);
    expect(next).toEqual({ resourceVersion: null, failures: 2, waitMs: 0, problem: undefined });
  });

  test.each<[ClusterErrorCode, string | null]>([
    ["network", "7"],
    ["timeout", "7"],
    ["forbidden", "7"],
    ["too_many_requests", "7"],
    ["server_error", null],
    ["invalid", null],
    ["not_found", null],
  ])("%s waits and continues at %s", (code, resourceVersion) => {
    const next = nextAttempt(fresh, failed(code), SETTINGS, 0.5);
    expect(next).toMatchObject({ resourceVersion, failures: 1, problem: code });
    expect(next.waitMs).toBeGreaterThanOrEqual(SETTINGS.backoffMs / 2);
  });

  test("a first 410 lists at once, a first 401 tries at once with new credentials; the next ones wait", () => {
    expect(nextAttempt(fresh, failed("gone"), SETTINGS, 0.5)).toMatchObject({
      resourceVersion: null,
      waitMs: 0,
      problem: undefined,
    });
    expect(nextAttempt(fresh, failed("unauthorized"), SETTINGS, 0.5)).toMatchObject({
      resourceVersion: "7",
      waitMs: 0,
    });
    for (const code of ["gone", "unauthorized"] as const) {
      const next = nextAttempt({ resourceVersion: "5", failures: 1 }, failed(code), SETTINGS, 0.5);
      expect(next).toMatchObject({ failures: 2, problem: code });
      expect(next.waitMs).toBeGreaterThan(0);
    }
  });

  test("the third failure in a row lists again", () => {
    expect(
      nextAttempt({ resourceVersion: "7", failures: 2 }, failed("network"), SETTINGS, 0.5).resourceVersion,
    ).toBeNull();
  });

  test("progress starts the count anew", () => {
    const next = nextAttempt(
      { resourceVersion: "5", failures: 9 },
      failed("network", { progressed: true }),
      SETTINGS,
      0.5,
    );
    expect(next).toMatchObject({ failures: 1, resourceVersion: "7" });
  });

  test("waits grow, within bounds, and obey Retry-After within them", () => {
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.nat({ max: 5000 }),
        random,
        fc.option(fc.nat(), { nil: undefined }),
        (failures, chance, retryAfterMs) => {
          const { waitMs } = nextAttempt(
            { resourceVersion: null, failures },
            failed("network", {}, retryAfterMs),
            SETTINGS,
            chance,
          );
          expect(waitMs).toBeLessThanOrEqual(SETTINGS.maxBackoffMs);
          expect(waitMs).toBeGreaterThanOrEqual(
            Math.min(SETTINGS.maxBackoffMs, SETTINGS.backoffMs * 2 ** failures) / 2,
          );
          expect(waitMs).toBeGreaterThanOrEqual(Math.min(retryAfterMs ?? 0, SETTINGS.maxBackoffMs));
        },
      ),
    );
  });

  test("jitter is ± 20 %", () => {
    expect([jitter(100, 0), jitter(100, 0.5), jitter(100, 1)].map(Math.round)).toEqual([80, 100, 120]);
  });
});
