import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sanitizeLine } from "../src/terminal/sanitize.ts";

const nasty = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        "\u001b",
        "\u001b[",
        "\u001b[31m",
        "\u001b[0m",
        "\u001b[2J",
        "\u001b]0;title\u0007",
        "\r",
        "\b",
        "\u009b",
        "m",
        ";",
      ),
      fc.integer({ min: 0, max: 0x2100 }).map((code) => String.fromCharCode(code)),
    ),
  )
  .map((parts) => parts.join(""));

/** Everything that a terminal may obey, but colours. */
const OBEYED = /[^\P{Cc}\t]|[\u2028-\u202e\u2066-\u2069]/u;
/** What is left of a line without its colours. */
function uncolored(line: string): string {
  return line
    .split("\u001b")
    .map((part, index) =>
      index > 0 && /^\[[0-9;]*m/.test(part) ? part.replace(/^\[[0-9;]*m/, "") : (index > 0 ? "\u001b" : "") + part,
    )
    .join("");
}

describe("sanitizeLine", () => {
  it("leaves nothing that a terminal obeys but colours", () => {
    fc.assert(
      fc.property(nasty, (line) => {
        expect(uncolored(sanitizeLine(line, true))).not.toMatch(OBEYED);
        expect(sanitizeLine(line, false)).not.toMatch(OBEYED);
      }),
    );
  });

  it("leaves ordinary text as it is", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "ä", "漢", "🙂", "\t", " ", "[", "m") });
    fc.assert(
      fc.property(text, (line) => {
        expect(sanitizeLine(line, true)).toBe(line);
      }),
    );
  });

  it.each([
    ["clears the screen", "\u001b[2Jx", "␛[2Jx"],
    ["moves the cursor up", "\u001b[1Ax", "␛[1Ax"],
    ["sets the title", "\u001b]0;evil\u0007x", "␛]0;evil␇x"],
    ["hides text", "\u001b[8mx", "␛[8mx"],
    ["hides text behind other parameters", "\u001b[1;31;8mx", "␛[1;31;8mx"],
    ["writes over the line", "good\rbad", "good␍bad"],
    ["takes characters back", "abc\b\bX", "abc␈␈X"],
    ["uses the one-byte CSI", "\u009b2Jx", "\\x9b2Jx"],
    ["reverses the direction", "a\u202eb", "a\\u202eb"],
    ["has NUL and DEL", "\u0000\u007f", "␀␡"],
  ])("shows what %s", (_, line, shown) => expect(sanitizeLine(line, true)).toBe(shown));

  it("lets colours through, ends them, and leaves them out where none are wanted", () => {
    expect(sanitizeLine("\u001b[1;38;5;8mgrey", true)).toBe("\u001b[1;38;5;8mgrey\u001b[0m");
    expect(sanitizeLine("\u001b[31mred\u001b[0m", false)).toBe("red");
  });
});
