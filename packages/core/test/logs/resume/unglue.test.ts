import { describe, expect, test } from "vitest";
import { beginsLogLine, gluedAt } from "../../../src/logs/resume/unglue.ts";
import { utf8 } from "../model/bytes.ts";

const PIECE = 16_384;
const LOGFMT = 'time="2026-11-23T16:22:29Z" level=info msg="x"';
const JSON_LINE = '{"level":"info","msg":"x"}';

function at(line: string): number | null {
  const bytes = utf8(`..${line}time="2026-11-23T16:22:29Z" level=info`);
  return gluedAt(bytes, 2, 2 + line.length);
}

describe("gluedAt", () => {
  test.each<[string, string, number | null]>([
    ["behind one piece", "x".repeat(PIECE) + LOGFMT, PIECE],
    ["JSON", "x".repeat(PIECE) + JSON_LINE, PIECE],
    ["behind two pieces", "x".repeat(2 * PIECE) + LOGFMT, 2 * PIECE],
    ["the first of two", "x".repeat(PIECE) + LOGFMT.padEnd(PIECE, "y") + LOGFMT, PIECE],
    ["not elsewhere", "x".repeat(PIECE - 1) + LOGFMT, null],
    ["not at the beginning", LOGFMT, null],
    ["not in other text", "x".repeat(3 * PIECE), null],
    ["not in a line of just one piece, whatever follows in memory", "x".repeat(PIECE), null],
    ["not in the head of a head", `${"x".repeat(PIECE)}time="2026-11-23T16:2`, null],
  ])("%s", (_, line, expected) => {
    expect(at(line)).toBe(expected);
  });
});

describe("beginsLogLine", () => {
  test.each([
    [LOGFMT, true],
    ['time="2026-11-23T18:22:29+02:00" level=warning msg=', true],
    [JSON_LINE, true],
    ['{"level":"', false],
    ['{"msg":"x","level":"info"}', false],
    ['time="now" level=info', false],
    ['time="2026-11-23T16:22:29Z" msg="x"', false],
    ["text", false],
    ["", false],
  ])("%j: %s", (text, expected) => {
    const bytes = utf8(`>${text}${LOGFMT}`);
    expect(beginsLogLine(bytes, 1, 1 + text.length)).toBe(expected);
  });
});
