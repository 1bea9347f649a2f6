import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CriParser, FILE_START, Hash64 } from "../../../src/index.ts";
import { concat, utf8 } from "../model/bytes.ts";
import { criBytes, type Entry } from "../model/entry.ts";
import { linesFrom } from "../model/node-check.ts";
import { linesOf, linesRead, newBuilder, readFile, textsOf } from "../support.ts";

const T = "2026-11-23T16:22:29.24Z";
const MIB = 1024 * 1024;

const entry: fc.Arbitrary<Entry> = fc.record({
  stderr: fc.boolean(),
  partial: fc.boolean(),
  time: fc.bigInt({ min: 1_795_528_465_000_000_000n, max: 1_795_528_467_000_000_000n }),
  text: fc.uint8Array({ maxLength: 90 }).map((bytes) => bytes.map((byte) => (byte === 0x0a ? 0x20 : byte))),
  file: fc.constant(0),
});
const entries = fc.array(entry, { maxLength: 12 });
const zone = fc.constantFrom(0, 120);
const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 4 });

describe("CriParser", () => {
  test.each<[string, string, string[]]>([
    ["one line", `${T} stdout F text\n`, ["text"]],
    ["an empty one", `${T} stdout F \n`, [""]],
    ["lines of both standard streams", `${T} stdout F a\n${T} stderr F b\n`, ["a", "b"]],
    ["a line in pieces", `${T} stdout P a\n${T} stdout P b\n${T} stdout F c\n`, ["abc"]],
    ["two at once", `${T} stdout P a\n${T} stderr P x\n${T} stderr F y\n${T} stdout F b\n`, ["xy", "ab"]],
    ["a whole line while another is open", `${T} stdout P a\n${T} stderr F x\n${T} stdout F b\n`, ["x", "ab"]],
    ["an empty end", `${T} stdout P a\n${T} stdout F \n`, ["a"]],
    ["more tags", `${T} stdout P:x a\n${T} stdout F:y:z b\n`, ["ab"]],
    ["text like a head", `${T} stdout F ${T} stderr F x\n`, [`${T} stderr F x`]],
    [
      "a time without a fraction, and one of another zone",
      "2026-11-23T16:22:29Z stdout F a\n2026-11-23T18:22:29.1+02:00 stdout F b\n",
      ["a", "b"],
    ],
    ["CR and NUL", `${T} stdout F a\r\0b\r\n`, ["a\r\0b\r"]],
  ])("reads %s", (_, file, expected) => {
    const { parser, builder } = readFile(file);
    expect(textsOf(builder.take())).toEqual(expected);
    expect(parser.malformed).toBe(0);
    expect(parser.pending).toEqual([]);
    expect(parser.place.offset).toBe(file.length);
  });

  test.each([
    "",
    "text",
    T,
    `${T} `,
    `${T} stdout`,
    `${T} stdout F`,
    `${T} stdout X text`,
    `${T} stdouts F text`,
    `${T} stdlog F text`,
    `${T}  stdout F text`,
    `${T} stdout FF text`,
    `${T} stdout P:x`,
    `yesterday stdout F text`,
    "\0\0\0",
  ])("keeps %j, which is no entry", (line) => {
    const { parser, builder } = readFile(`${T} stderr F before\n${line}\n${T} stdout F behind\n`);
    const lines = linesOf(builder.take());
    expect(lines.map(({ text }) => text)).toEqual(["before", line, "behind"]);
    expect(lines[1]!.time).toBe(lines[0]!.time);
    expect(parser.malformed).toBe(1);
  });

  test("a block without a newline does not fill the memory", () => {
    const block = concat([new Uint8Array(2 * MIB), utf8(`\n${T} stdout F behind\n`)]);
    const read = readFile(block, { sizes: [65_536] });
    const { parser } = read;
    const lines = linesRead(read);
    expect(lines.reduce((sum, { text }) => sum + text.length, 0)).toBe(2 * MIB + "behind".length);
    expect(Math.max(...lines.map(({ text }) => text.length))).toBeLessThanOrEqual(MIB + 65_536);
    expect(lines.at(-1)!.text).toBe("behind");
    expect(parser.malformed).toBeGreaterThan(0);
    expect(parser.place.offset).toBe(2 * MIB + 1 + `${T} stdout F behind\n`.length);
  });

  test("however the bytes come, the lines are the same", () => {
    fc.assert(
      fc.property(entries, zone, sizes, (list, minutes, pieces) => {
        const { parser, builder } = readFile(concat(list.map((each) => criBytes(each, minutes))), { sizes: pieces });
        parser.finish();
        const expected = linesFrom(list, 0).map(({ bytes, time, stderr, finished }) => ({
          text: Buffer.from(bytes).toString("latin1"),
          time,
          stderr,
          unfinished: !finished,
        }));
        expect(linesOf(builder.take())).toEqual(expected);
        expect(parser.malformed).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test("a place is behind the last whole entry, known by that entry, and goes on from there", () => {
    fc.assert(
      fc.property(entries, fc.nat(1000), sizes, (list, cut, pieces) => {
        const file = concat(list.map((each) => criBytes(each, 0)));
        const first = readFile(file.subarray(0, Math.min(cut, file.length)), { sizes: pieces });
        const { place, pending } = first.parser;
        const before = file.slice(0, place.offset);
        expect(place.offset).toBe(file.subarray(0, Math.min(cut, file.length)).lastIndexOf(0x0a) + 1);
        const last = before.slice(before.length - place.entryBytes);
        if (place.offset > 0) {
          expect(last.indexOf(0x0a)).toBe(last.length - 1);
          expect(new Hash64().update(new DataView(last.buffer), 0, last.length).hex()).toBe(place.entryHash);
        }
        const second = readFile(file.subarray(place.offset), { place, pending, sizes: pieces });
        second.parser.finish();
        const whole = readFile(file);
        whole.parser.finish();
        const parts = [...linesOf(first.builder.take()), ...linesOf(second.builder.take())];
        expect(parts).toEqual(linesOf(whole.builder.take()));
        expect(second.parser.place).toEqual(whole.parser.place);
      }),
      { numRuns: 500 },
    );
  });

  test("asks for the chunk to be taken between two entries, with the place behind the first", () => {
    const long = `${T} stdout F ${"x".repeat(MIB)}\n`;
    const places: number[] = [];
    const builder = newBuilder(true);
    const parser: CriParser = new CriParser(builder, FILE_START, [], () => {
      places.push(parser.place.offset);
      expect(textsOf(builder.take())).toHaveLength(1);
    });
    parser.push(utf8(long));
    expect([builder.full, places]).toEqual([true, []]);
    parser.push(utf8(`${T} stdout F next\n`));
    expect(places).toEqual([long.length]);
    expect(textsOf(builder.take())).toEqual(["next"]);
  });
});
