const encoder = new TextEncoder();

export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/** Groups digits as the messages show them: `1,048,576`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** What no container and no database takes: half a surrogate pair, or NUL. Null when the text has neither. */
export function textProblem(text: string): string | null {
  if (!text.isWellFormed()) return "must be well-formed Unicode, got half a surrogate pair";
  const nul = text.indexOf("\0");
  return nul === -1 ? null : `must not contain NUL, got one at index ${nul}`;
}

const SHOWN = 60;

/** A value as messages echo it, with its type where it is not a number: `1.5`, `the string "3"`, `null`, `an array`. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `the string ${quote(value)}`;
    case "boolean":
      return `the boolean ${value}`;
    case "number":
      return String(value);
    case "bigint":
      return `the bigint ${value}`;
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "an array" : "an object";
    case "undefined":
      return "nothing";
    default:
      return `a ${typeof value}`;
  }
}

/** A string in quotes, on one line, cut after 60 characters. */
export function quote(text: string): string {
  return text.length > SHOWN ? `${JSON.stringify(text.slice(0, SHOWN))}…` : JSON.stringify(text);
}
