import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LEVEL_BITS, LOG_LEVELS, NO_LEVEL_BIT, levelOfBit, type LogLevel } from "../../../src/index.ts";
import { levelBit } from "../../../src/logs/lines/level.ts";
import { utf8 } from "../model/bytes.ts";

/** The level of a line that stands between others which have one. */
function levelOf(line: string | Uint8Array): LogLevel | null {
  const text = typeof line === "string" ? utf8(line) : line;
  const around = utf8('level=fatal {"level":"debug"}\n');
  const bytes = new Uint8Array(text.length + 2 * around.length);
  bytes.set(around);
  bytes.set(text, around.length);
  bytes.set(around, around.length + text.length);
  return levelOfBit(levelBit(new DataView(bytes.buffer), bytes, around.length, around.length + text.length));
}

describe("levelBit", () => {
  test.each<[string, LogLevel | null]>([
    ['time="2026-11-23T16:22:29Z" level=info msg="x" source=console', "info"],
    ['time="2026-11-23T16:22:29Z" level=warning msg="x"', "warning"],
    ['time="2026-11-23T16:22:29Z" level=error msg="GoError: level=info" hint="script exception"', "error"],
    ['time="2026-11-23T16:22:29Z" level=debug msg="x"', "debug"],
    ['time="2026-11-23T16:22:29Z" level=trace msg="x"', "trace"],
    ['time="2026-11-23T16:22:29Z" level=fatal msg="x"', "fatal"],
    ['time="2026-11-23T16:22:29Z" level=panic msg="x"', "fatal"],
    ['time="2026-11-23T18:22:29+02:00" level=error msg="another offset"', "error"],
    ['{"level":"warning","msg":"x","source":"console","time":"2026-11-23T16:22:29Z"}', "warning"],
    ['{"level":"info"}', "info"],
    ['{"msg":"x","level":"error"}', "error"],
    ["level=info", "info"],
    ["a level=warn", "warning"],
    ['}time="2026-11-23T16:22:29Z" level=error msg="behind JSON without a newline"', "error"],
    ["     iterations....................: 10", null],
    ["", null],
    ["level", null],
    ["level=", null],
    ["level=i", null],
    ["level=?unknown", null],
    ["levels=info is no field, nor is relevel", null],
    [`${"x".repeat(240)} level=error`, "error"],
    [`${"x".repeat(256)} level=error`, null],
  ])("%j", (line, level) => {
    expect(levelOf(line)).toBe(level);
  });

  test("knows every line of a recorded runner that has a level", () => {
    const log = readFileSync(new URL("../../fixtures/odd-bytes/odd-bytes-1-n8zmc_k6.log", import.meta.url), "latin1");
    const lines = log.split("\n").map((line) => line.slice("2026-11-23T16:22:29.865786283Z ".length));
    const levels = lines.map((line) => levelOf(Buffer.from(line, "latin1")));
    const expected = lines.map((line) => /^time="\S+" level=(\w+) /.exec(line)?.[1] ?? null);
    expect(levels).toEqual(expected);
    expect(levels.filter((level) => level !== null).length).toBeGreaterThan(5);
  });

  test("each level has a bit of its own, the most severe the highest", () => {
    expect(LOG_LEVELS).toEqual(["trace", "debug", "info", "warning", "error", "fatal"]);
    expect(LOG_LEVELS.map((level) => LEVEL_BITS[level])).toEqual([1, 2, 4, 8, 16, 32]);
    expect(levelOfBit(NO_LEVEL_BIT)).toBeNull();
  });
});
