import { describe, expect, test } from "vitest";
import { Aligner, Hash64, Marks, type LineMark } from "../../../src/index.ts";
import { utf8 } from "../model/bytes.ts";

const PIECE = 16_384;

/** Equal letters are equal lines of the same time. */
function mark(letter: string): LineMark {
  return { seconds: 1000, nanos: letter.charCodeAt(0), high: 1, low: letter.charCodeAt(0) };
}

function known(letters: string): Marks {
  const marks = new Marks();
  for (const letter of letters) marks.push(mark(letter));
  return marks;
}

function longMark(text: string, nanos: number): LineMark {
  const { high, low } = new Hash64().update(new DataView(utf8(text).buffer), 0, text.length);
  return { seconds: 1000, nanos, high, low };
}

function longKnown(...texts: string[]): Marks {
  const marks = new Marks();
  const hash = new Hash64();
  for (const [nanos, text] of texts.entries()) {
    const view = new DataView(utf8(text).buffer);
    marks.pushLine(1000, nanos, hash.update(view, 0, text.length), view, 0, text.length);
  }
  return marks;
}

describe("Aligner", () => {
  test.each([
    ["the same again, and more", "abc", "abcde", "known known known new new"],
    ["the same again", "abc", "abc", "known known known"],
    ["less than that", "abc", "ab", "known known"],
    ["from a later line on", "abc", "bcd", "known known new"],
    ["from the last line on", "abc", "cd", "known new"],
    ["nothing of it", "abc", "de", "known none"],
    ["one line, which may be the end of one", "abc", "d", "known"],
    ["no line at all", "abc", "", ""],
    ["everything, where nothing is known", "", "ab", "new new"],
    ["the end of the first line, and what is behind it", "abc", "zbcd", "known known known new"],
    ["the end of a later line, and what is behind it", "abc", "zcd", "known known new"],
    ["the end of a line that was filtered out", "abc", "zabcd", "known known known known new"],
    ["two unknown lines before known ones", "abc", "yzabc", "known none none none none"],
    ["an unknown line among known ones", "abc", "abz", "known known none"],
    ["known lines in another order", "abc", "acb", "known none none"],
    ["lines that are all alike", "aaa", "aaaa", "known known known new"],
    ["fewer lines that are all alike", "aaa", "aab", "known known new"],
    ["a repeated part, from its second time on", "abab", "abc", "known known new"],
    ["a repeated part, from its first time on", "abab", "ababc", "known known known known new"],
    ["a line that is known twice", "abcb", "bcbd", "known known known new"],
    ["a line that is known twice, the second time", "abcb", "bd", "known new"],
  ])("is given %s", (_, lines, received, expected) => {
    const aligner = new Aligner(known(lines));
    const said = Array.from(received, (letter) => aligner.push(mark(letter)));
    expect(said.join(" ")).toBe(expected);
  });

  test.each([
    ["abc", "", false],
    ["abc", "abc", true],
    ["abc", "ab", false],
    ["abc", "c", true],
    ["abc", "z", false],
    ["abc", "zc", true],
    ["abab", "ab", true],
    ["", "", true],
  ])("of %j, %j to the end: %s", (lines, received, expected) => {
    const aligner = new Aligner(known(lines));
    for (const letter of received) aligner.push(mark(letter));
    expect(aligner.endsAligned).toBe(expected);
  });

  describe("at the end of a long line that is the last known one", () => {
    const long = `${"a".repeat(PIECE)}${"b".repeat(PIECE)}the end`;

    test.each<[string, string, number, boolean]>([
      ["from its second piece on", long.slice(PIECE), 1, true],
      ["from its last piece on", "the end", 1, true],
      ["at the same time", "the end", 0, true],
      ["just within a second", "the end", 999_999_999, true],
      ["a second later", "the end", 1_000_000_000, false],
      ["from elsewhere on", "end", 1, false],
      ["the whole line at another time", long, 1, false],
      ["another text", "The end", 1, false],
    ])("%s", (_, rest, nanos, expected) => {
      const aligner = new Aligner(longKnown(long));
      const line = { ...longMark(rest, nanos % 1_000_000_000), seconds: 1000 + Math.floor(nanos / 1_000_000_000) };
      expect(aligner.push(line, utf8(rest))).toBe("known");
      expect(aligner.endsAligned).toBe(expected);
      expect(aligner.push(mark("z"), utf8("z"))).toBe(expected ? "new" : "none");
    });

    test("does not take the end of a short line for one: lines end alike", () => {
      const aligner = new Aligner(longKnown('{"level":"info","time":"2026-11-23T16:22:29Z"}'));
      expect(aligner.push(longMark(':29Z"}', 1), utf8(':29Z"}'))).toBe("known");
      expect(aligner.push(mark("z"), utf8("z"))).toBe("none");
    });

    test("prefers what is behind an earlier line", () => {
      const aligner = new Aligner(longKnown(long, "x", long));
      expect(aligner.push(longMark("the end", 5), utf8("the end"))).toBe("known");
      expect(aligner.push(longMark("x", 1), utf8("x"))).toBe("known");
      expect(aligner.push(longMark(long, 2), utf8(long))).toBe("known");
      expect(aligner.push(mark("z"), utf8("z"))).toBe("new");
    });
  });
});
