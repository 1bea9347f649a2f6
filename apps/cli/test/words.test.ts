import { TailraceClientError } from "@tailrace/client";
import { describe, expect, it } from "vitest";
import { parseDuration, formatDuration, formatElapsed } from "../src/duration.ts";
import { readEnvironment } from "../src/environment.ts";
import { UsageError, explainFailure } from "../src/errors.ts";
import { renderProgress } from "../src/follow/progress.ts";
import { scenarioIdOfFile } from "../src/scenario-file.ts";
import { createScreen } from "../src/terminal/screen.ts";
import { createStyle } from "../src/terminal/style.ts";

describe("durations", () => {
  it.each([
    ["90", 90_000],
    ["90s", 90_000],
    ["10m", 600_000],
    ["1h30m", 5_400_000],
    ["0", null],
    ["0s", null],
    ["", null],
    ["10x", null],
    ["-5s", null],
    ["1.5h", null],
  ])("reads %j as %j", (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

  it("writes them short", () => {
    expect([42_400, 65_000, 3_720_000].map(formatDuration)).toEqual(["42s", "1m05s", "1h02m"]);
    expect([7000, 754_000, 3_723_000].map(formatElapsed)).toEqual(["0:07", "12:34", "1:02:03"]);
  });
});

describe("the environment", () => {
  it("has defaults, also for empty variables", () => {
    const defaults = { url: "http://127.0.0.1:4173", token: undefined, team: "demo", color: "auto" };
    expect(readEnvironment({})).toEqual(defaults);
    expect(readEnvironment({ TAILRACE_URL: "", TAILRACE_TOKEN: "", TAILRACE_TEAM: "", NO_COLOR: "" })).toEqual(
      defaults,
    );
  });

  it.each([
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, "never"],
    [{ FORCE_COLOR: "1" }, "always"],
    [{ FORCE_COLOR: "0" }, "never"],
    [{ TERM: "dumb" }, "never"],
  ])("%j gives colour %s", (env, color) => expect(readEnvironment(env).color).toBe(color));
});

describe("a scenario's id from its file", () => {
  it.each([
    ["/a/load-test.js", "load-test"],
    ["Smoke Test.JS", "smoke-test"],
    ["Überlast_v2.ts", "uberlast-v2"],
    ["--x--.js", "x"],
    [`${"a".repeat(62)}-b.js`, "a".repeat(62)],
    ["試験.js", null],
  ])("%s: %s", (path, id) => expect(scenarioIdOfFile(path)).toBe(id));
});

describe("failures", () => {
  it("are one sentence, and a line for each field that it does not name", () => {
    const issues = [
      { path: "parallelism", message: "parallelism must be an integer from 1 to 10" },
      { path: "env.A", message: "is too long" },
    ];
    const two = new TailraceClientError("BAD_REQUEST", "2 fields are wrong", { issues });
    expect(explainFailure(two)).toEqual({
      lines: ["2 fields are wrong", "  parallelism must be an integer from 1 to 10", "  env.A: is too long"],
      code: 3,
    });
    const one = new TailraceClientError("BAD_REQUEST", issues[0]!.message, { issues: issues.slice(0, 1) });
    expect(explainFailure(one)?.lines).toEqual([issues[0]!.message]);
    expect(explainFailure(new UsageError("no such file"))).toEqual({ lines: ["no such file"], code: 2 });
    expect(explainFailure(new TypeError("a mistake of ours"))).toBeNull();
  });
});

describe("the progress line", () => {
  const progress = {
    stage: "started",
    elapsedMs: 12_000,
    runners: 2,
    parallelism: 3,
    lines: 1204,
    hint: "Ctrl-C stops the run",
  };

  it("never is longer than the terminal is wide", () => {
    const style = createStyle(false);
    expect(renderProgress(progress, 80, style)).toBe(
      "● started  0:12  runners 2/3  1,204 lines   Ctrl-C stops the run",
    );
    expect(renderProgress(progress, 50, style)).toBe("● started  0:12  runners 2/3  1,204 lines");
    for (let columns = 0; columns < 90; columns += 1)
      expect(renderProgress(progress, columns, style).length).toBeLessThanOrEqual(columns);
  });

  it("stays below what is printed, and leaves nothing behind", () => {
    let terminal = "";
    const output = { isTTY: true, columns: 20, write: (text: string) => (terminal += text) };
    const screen = createScreen(output, output);
    screen.status(() => "status");
    screen.line("one", "two");
    screen[Symbol.dispose]();
    expect(terminal).toBe("status\r\u001b[Kone\ntwo\nstatus\r\u001b[K");
  });
});
