import { LEVEL_BITS, type LogFilter, type LogPattern } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { confineToLine } from "../../src/logs/scan/confine-to-line.ts";
import { ChunkText } from "../../src/logs/scan/chunk-text.ts";
import { ALL_LEVELS, LineFilter, type PatternPlace } from "../../src/logs/scan/line-filter.ts";
import { buildChunks, T0 } from "./support.ts";

/** Which lines a filter lets pass. */
function matching(
  texts: readonly (string | Uint8Array)[],
  filter: Partial<LogFilter> & { levelBits?: number },
): number[] {
  const [chunk] = buildChunks(texts.map((text) => ({ text, time: T0 })));
  const { levelBits = ALL_LEVELS, include = [], exclude = [], ignoreCase = false } = filter;
  const compiled = new LineFilter({ include, exclude, ignoreCase, levels: levelBits }, () => undefined);
  const marks = compiled.match(new ChunkText(chunk!), chunk!.levels);
  return [...marks.entries()].filter(([, mark]) => mark === 1).map(([line]) => line);
}

const sub = (text: string): LogPattern => ({ kind: "substring", text });
const re = (text: string): LogPattern => ({ kind: "regex", text });

describe("a substring", () => {
  test("is found as bytes, in each line once, never across two", () => {
    const lines = ["abc abc", "", "xabc", "ab", "c", "abc"];
    expect(matching(lines, { include: [sub("abc")] })).toEqual([0, 2, 5]);
    expect(matching(lines, { include: [sub("ab\nc")] })).toEqual([]);
    expect(matching(lines, { include: [sub("")] })).toEqual([0, 1, 2, 3, 4, 5]);
    expect(matching(lines, { include: [sub("\n")] })).toEqual([]);
    expect(matching(lines, { include: [sub("ab\nc")], ignoreCase: true })).toEqual([]);
    expect(matching(lines, { include: [sub("")], ignoreCase: true })).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("folds ASCII letters and nothing else", () => {
    const lines = ["Äbc", "äBC", "äbc", "ÄBC[", "äbc{"];
    expect(matching(lines, { include: [sub("äb")], ignoreCase: true })).toEqual([1, 2, 4]);
    expect(matching(lines, { include: [sub("BC[")], ignoreCase: true })).toEqual([3]);
    expect(matching(lines, { include: [sub("äb")] })).toEqual([2, 4]);
  });

  test("is found in bytes that are no text", () => {
    expect(matching([new Uint8Array([0xff, 0x61, 0x00, 0x62])], { include: [sub("a\0b")] })).toEqual([0]);
  });

  test("finds what String.includes finds", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "A", "b", "ü", "\r", "\0", "]"), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 12 }), text, (lines, needle) => {
        const expected = lines.flatMap((line, index) => (line.includes(needle) ? [index] : []));
        expect(matching(lines, { include: [sub(needle)] })).toEqual(expected);
        const fold = (value: string): string => value.replaceAll("A", "a");
        const folded = lines.flatMap((line, index) => (fold(line).includes(fold(needle)) ? [index] : []));
        expect(matching(lines, { include: [sub(needle)], ignoreCase: true })).toEqual(folded);
      }),
    );
  });
});

/** Expressions that are often written, and such as are hard to keep within a line. */
const part: fc.Arbitrary<string> = fc.constantFrom(
  ..."a|b|A|1|\\.|.|^|$|\\s|\\S|\\w|\\W|\\d|\\D|\\b|\\B|\\t|\\r|[ab]|[^a]|[^\\s]|[\\s,]|[\\W1]|[^\\W]|[\\D]|[a-z]|[^a-z]|[^]|[]".split(
    "|",
  ),
  ..."[\\t-\\r]|[\\s-a]|[^-a]|[^a-]|\\n|\\x0a|\\u000a|\\12|\\cJ|(?=a)|(?!a)|(?<=b)|(?<!b)|(?:a|b)|(a)|(?<n>b)|ü|é|[ü]| |,|\\1|\\-|\\/".split(
    "|",
  ),
);
const quantified = fc
  .tuple(part, fc.constantFrom("", "", "", "*", "+", "?", "{1,2}", "*?"))
  .map(([text, times]) => text + times);
const expression = fc.array(quantified, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));

function isExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

describe("a regular expression", () => {
  test("matches a line if and only if it matches the line's text alone", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "A", "1", " ", ",", "\t", "\r", "ü", ".", "-"),
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 12 }),
        expression.filter(isExpression),
        fc.boolean(),
        (lines, source, ignoreCase) => {
          const alone = new RegExp(source, ignoreCase ? "i" : "");
          const expected = lines.flatMap((line, index) => (alone.test(line) ? [index] : []));
          expect(matching(lines, { include: [re(source)], ignoreCase })).toEqual(expected);
          const rest = lines.flatMap((_, index) => (expected.includes(index) ? [] : [index]));
          expect(matching(lines, { exclude: [re(source)], ignoreCase })).toEqual(rest);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("sees a line as UTF-8 text, also beside lines of ASCII", () => {
    const lines = ["abc", "äöü", "a", new Uint8Array([0xff, 0x61]), "äöüx"];
    expect(matching(lines, { include: [re("^.{3}$")] })).toEqual([0, 1]);
    expect(matching(lines, { include: [re("ö")] })).toEqual([1, 4]);
    expect(matching(lines, { include: [re("^\\W+$")] })).toEqual([1]);
    expect(matching(lines, { include: [re("^\ufffda$")] })).toEqual([3]);
    expect(matching(lines, { include: [re("Ä")], ignoreCase: true })).toEqual([1, 4]);
  });

  test.each([
    ["level=error.*checkout", "level=error.*checkout"],
    ['msg="[^"]*timeout', 'msg="[^"\\n]*timeout'],
    ["a\\s+b", "a[^\\S\\n]+b"],
    ["^\\d+\\W$", "^\\d+[^\\w\\n]$"],
    ["[\\s,]", "[\\t\\v\\f\\r ,]"],
    ["(?:a|b)(?<name>c)", "(?:a|b)(?<name>c)"],
  ])("%s runs over many lines at once, as %s", (source, confined) => {
    expect(confineToLine(source)).toBe(confined);
  });

  test.each([
    "a\\nb",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?i:a)",
    "\\x0a",
    "\\u000a",
    "\\12",
    "ü",
    "[^-a]x-\\n",
    "[\\t-\\r]",
    "a\\",
  ])("%s is tested line by line", (source) => {
    expect(confineToLine(source)).toBeNull();
  });
});

describe("a filter", () => {
  const lines = ["level=info alpha", "level=error alpha", "level=error beta", "gamma", '{"level":"warning"} alpha'];

  test("passes lines with any of what is included and none of what is excluded", () => {
    expect(matching(lines, {})).toEqual([0, 1, 2, 3, 4]);
    expect(matching(lines, { include: [sub("beta"), re("^gam")] })).toEqual([2, 3]);
    expect(matching(lines, { exclude: [sub("alpha")] })).toEqual([2, 3]);
    expect(matching(lines, { include: [sub("alpha")], exclude: [re("info|warn")] })).toEqual([1]);
    expect(matching(lines, { include: [sub("ALPHA")], exclude: [sub("INFO")], ignoreCase: true })).toEqual([1, 4]);
  });

  test("passes lines of its levels", () => {
    expect(matching(lines, { levelBits: LEVEL_BITS.error })).toEqual([1, 2]);
    expect(matching(lines, { levelBits: LEVEL_BITS.warning | 64 })).toEqual([3, 4]);
    expect(matching(lines, { levelBits: LEVEL_BITS.error, include: [sub("alpha")] })).toEqual([1]);
  });

  test("says which pattern it tests", () => {
    const [chunk] = buildChunks([{ text: "a", time: T0 }]);
    const told: PatternPlace[] = [];
    const filter = new LineFilter(
      { include: [sub("a"), sub("b")], exclude: [sub("c")], ignoreCase: false, levels: ALL_LEVELS },
      (place) => told.push(place),
    );
    filter.match(new ChunkText(chunk!), chunk!.levels);
    expect(told).toEqual([
      { list: "include", index: 0 },
      { list: "include", index: 1 },
      { list: "exclude", index: 0 },
    ]);
  });
});
