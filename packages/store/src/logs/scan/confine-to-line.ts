/** What in a class stands for `\s`, `\W` and `\D` among ASCII characters, the newline left out. */
const CLASS_PARTS: Readonly<Record<string, string>> = {
  s: "\\t\\v\\f\\r ",
  W: "\\0-\\x09\\x0b-\\x2f\\x3a-\\x40\\x5b-\\x5e\\x60\\x7b-\\x7f",
  D: "\\0-\\x09\\x0b-\\x2f\\x3a-\\x7f",
};

/** The same outside of a class. */
const ESCAPES: Readonly<Record<string, string>> = { s: "[^\\S\\n]", W: "[^\\w\\n]", D: "[^\\d\\n]" };

/** Escapes that may be a newline, or that need to be read further to know; `\12` is an octal newline. */
const UNCERTAIN = /[n0-9xuc]/;

/** A group that says nothing about what stands around it, nor changes flags. */
const PLAIN_GROUP = /^\(\?(?::|<[A-Za-z_]\w*>)/;

/**
 * Rewrites a regular expression so that no part of it matches a newline, and it means the same on lines of ASCII text:
 * with the flag `m` it can then run over many lines at once and matches at least in those lines that it matches alone.
 *
 * @returns null where that is not certain: for other characters, look-around, and what is rare
 */
export function confineToLine(source: string): string | null {
  let confined = "";
  for (let at = 0; at < source.length;) {
    const char = source[at]!;
    if (char < " " || char > "~") return null;
    if (char === "\\") {
      const escaped = source[at + 1];
      if (escaped === undefined || escaped < " " || escaped > "~" || UNCERTAIN.test(escaped)) return null;
      confined += ESCAPES[escaped] ?? char + escaped;
      at += 2;
    } else if (char === "[") {
      const end = endOfClass(source, at);
      const part = end === -1 ? null : confineClass(source.slice(at + 1, end));
      if (part === null) return null;
      confined += part;
      at = end + 1;
    } else if (char === "(" && source[at + 1] === "?") {
      const group = PLAIN_GROUP.exec(source.slice(at))?.[0];
      if (group === undefined) return null;
      confined += group;
      at += group.length;
    } else {
      confined += char;
      at += 1;
    }
  }
  return confined;
}

/** @returns the offset of the `]`, or -1 */
function endOfClass(source: string, open: number): number {
  for (let at = open + 1; at < source.length; at++) {
    if (source[at] === "\\") at += 1;
    else if (source[at] === "]") return at;
  }
  return -1;
}

/** @param content - between the brackets @returns the whole class */
function confineClass(content: string): string | null {
  const negated = content.startsWith("^");
  const items = negated ? content.slice(1) : content;
  let confined = "";
  for (let at = 0; at < items.length; at++) {
    const char = items[at]!;
    if (char < " " || char > "~") return null;
    if (char !== "\\") {
      confined += char;
      continue;
    }
    const escaped = items[++at];
    if (escaped === undefined || escaped < " " || escaped > "~" || UNCERTAIN.test(escaped)) return null;
    // Beside a hyphen these would begin or end a range.
    if (/[tfvrbsWD]/.test(escaped) && items.includes("-")) return null;
    confined += CLASS_PARTS[escaped] ?? char + escaped;
  }
  if (!negated) return `[${confined}]`;
  return confined.endsWith("-") ? null : `[^${confined}\\n]`;
}
