import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatInstant, fromNanos, parseInstant, toNanos } from "../../../src/index.ts";
import { StampReader } from "../../../src/logs/lines/stamp.ts";
import { utf8 } from "../model/bytes.ts";

const SECOND = Date.parse("2026-11-23T16:22:29Z") / 1000;

/** What a reader says of a text, and how many of its characters it took. */
function read(text: string, reader = new StampReader()): [seconds: number, nanos: number, taken: number] | null {
  // Nothing that stands before or behind may matter.
  const bytes = utf8(`xyz${text}Z0123456789`);
  const view = new DataView(bytes.buffer);
  return reader.read(view, 3, 3 + utf8(text).length) ? [reader.seconds, reader.nanos, reader.end - 3] : null;
}

describe("StampReader", () => {
  test.each([
    ["2026-11-23T16:22:29Z", SECOND, 0, 20],
    ["2026-11-23T16:22:29.2Z", SECOND, 200_000_000, 22],
    ["2026-11-23T16:22:29.24Z", SECOND, 240_000_000, 23],
    ["2026-11-23T16:22:29.024Z", SECOND, 24_000_000, 24],
    ["2026-11-23T16:22:29.865786283Z", SECOND, 865_786_283, 30],
    ["2026-11-23T16:22:29.000000001Z stdout", SECOND, 1, 30],
    ["2026-11-23T18:22:29.5+02:00 x", SECOND, 500_000_000, 27],
    ["2026-11-23T12:52:29-03:30", SECOND, 0, 25],
    ["1970-01-01T00:00:00Z", 0, 0, 20],
    ["1970-01-01T00:30:00+01:00", -1800, 0, 25],
    ["2024-02-29T23:59:59Z", Date.parse("2024-02-29T23:59:59Z") / 1000, 0, 20],
  ])("reads %s", (text, seconds, nanos, taken) => {
    expect(read(text)).toEqual([seconds, nanos, taken]);
  });

  test.each([
    "",
    "2026-11-23T16:22:29",
    "2026-11-23T16:22:29.",
    "2026-11-23T16:22:29.Z",
    "2026-11-23T16:22:29.1234567890Z",
    "2026-11-23T16:22:29.12",
    "2026-11-23t16:22:29Z",
    "2026-11-23 16:22:29Z",
    "2026-11-23T16:22:29z",
    "2026-11-23T16:22:29+0200",
    "2026-11-23T16:22:29+02:0",
    "2026-11-23T16:22:29+2:00x",
    "2026-11-23T16:22:29 x",
    "2026-13-23T16:22:29Z",
    "2026-00-23T16:22:29Z",
    "2026-11-32T16:22:29Z",
    "2026-11-23T24:22:29Z",
    "2026-11-23T16:60:29Z",
    "2026-11-23T16:22:61Z",
    "2026/11/23T16:22:29Z",
    "+026-11-23T16:22:29Z",
    "     iterations.....: 1",
    "\0".repeat(40),
  ])("finds no time in %j", (text) => {
    expect(read(text)).toBeNull();
  });

  test("what it has read before does not matter", () => {
    const stamp = fc.record({
      ms: fc.integer({ min: 0, max: 4_000_000_000 }),
      digits: fc.nat(9),
      nanos: fc.nat(999_999_999),
      zone: fc.constantFrom("Z", "+00:00", "+05:45", "-11:30"),
    });
    fc.assert(
      fc.property(fc.array(stamp, { minLength: 1, maxLength: 20 }), (stamps) => {
        const reader = new StampReader();
        for (const { ms, digits, nanos, zone } of stamps) {
          const second = new Date(Math.floor(ms / 50) * 1000).toISOString().slice(0, 19);
          const fraction = digits === 0 ? "" : `.${String(nanos).padStart(9, "0").slice(0, digits)}`;
          const text = `${second}${fraction}${zone}`;
          const [seconds, read_, taken] = read(`${text} text`, reader)!;
          expect(toNanos(seconds, read_)).toBe(parseInstant(text));
          expect(taken).toBe(text.length);
          expect(read(text.slice(0, -1), reader)).toBeNull();
        }
      }),
    );
  });
});

describe("instants", () => {
  test("are printed with nine digits and read back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -1_000_000_000_000_000_000n, max: 4_000_000_000_000_000_000n }), (nanos) => {
        const text = formatInstant(nanos);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
        expect(parseInstant(text)).toBe(nanos);
        const { seconds, nanos: rest } = fromNanos(nanos);
        expect(rest).toBeGreaterThanOrEqual(0);
        expect(toNanos(seconds, rest)).toBe(nanos);
      }),
    );
  });

  test.each(["2026-11-23", "2026-11-23T16:22:29", "2026-11-23T16:22:29.1234567890Z", "yesterday", ""])(
    "%j is none",
    (text) => {
      expect(parseInstant(text)).toBeNull();
    },
  );
});
