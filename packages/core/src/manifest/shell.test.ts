import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { containerEnvValue, initializerEnvValue } from "./shell.ts";

/** The kubelet's expansion by its documentation: `$$` is `$`, `$(NAME)` a known variable, all else stays. */
function expand(text: string, variables: Record<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name?: string) =>
    name === undefined ? "$" : Object.hasOwn(variables, name) ? variables[name]! : whole,
  );
}

/** Reads a shell word in double quotes by POSIX 2.2.3; throws where the shell would run or expand something. */
function readDoubleQuoted(word: string): string {
  expect(word[0]).toBe('"');
  let value = "";
  for (let at = 1; at < word.length; at++) {
    const char = word[at]!;
    if (char === '"') {
      if (at !== word.length - 1) throw new Error(`the word ends at ${at} of ${word.length}`);
      return value;
    }
    if (char === "`" || (char === "$" && /[A-Za-z0-9_@*#?$!({-]/.test(word[at + 1]!)))
      throw new Error(`the shell would expand at ${at}`);
    if (char !== "\\") value += char;
    else if (/[$`"\\]/.test(word[at + 1]!)) value += word[++at]!;
    else if (word[at + 1] === "\n") at++;
    else value += char;
  }
  throw new Error("the word has no end");
}

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom("$", "\\", '"', "`", "(", ")", "\n", "A", "{", "'", " ", "!"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  ),
});
const variables = { A: "expanded", "": "empty" };

describe("a value of env", () => {
  it("comes through the kubelet's expansion of the runner's environment", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        expect(expand(containerEnvValue(value), variables)).toBe(value);
      }),
    );
  });

  it("comes through the kubelet's expansion and the initializer's shell", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const command = expand(`"${initializerEnvValue(value)}"`, variables);
        expect(readDoubleQuoted(command)).toBe(value);
      }),
      { numRuns: 1000 },
    );
  });

  it("would not come through as it is", () => {
    expect(expand("$(A) $$", variables)).toBe("expanded $");
    expect(() => readDoubleQuoted('"$(id)"')).toThrow("expand at 1");
    expect(() => readDoubleQuoted('"a" b"')).toThrow("ends at 2");
    expect(readDoubleQuoted('"a\\\\b"')).toBe("a\\b");
  });

  it.each([
    ["plain value", "plain value", "plain value"],
    ["$(id)", "$$(id)", "\\$$(id)"],
    ['say "hi"', 'say "hi"', 'say \\"hi\\"'],
    ["`id` \\", "`id` \\", "\\`id\\` \\\\"],
  ])("%j is written as %j for runners and %j for the initializer", (value, runner, initializer) => {
    expect(containerEnvValue(value)).toBe(runner);
    expect(initializerEnvValue(value)).toBe(initializer);
  });
});
