import { MAX_SCRIPT_BYTES, MAX_SCRIPT_JSON_BYTES } from "./limits.ts";
import { describeValue, formatCount, textProblem, utf8Length } from "./text.ts";

/** What is wrong with a script, as the end of a sentence that starts with `script`; null when it is right. */
export function scriptProblem(script: unknown): string | null {
  const rule = `must be a text of 1 to ${formatCount(MAX_SCRIPT_BYTES)} bytes in UTF-8`;
  if (script === undefined) return `is required and ${rule}`;
  if (typeof script !== "string") return `${rule}, got ${describeValue(script)}`;
  const bytes = utf8Length(script);
  if (bytes === 0 || bytes > MAX_SCRIPT_BYTES) return `${rule}, got ${formatCount(bytes)} bytes`;
  const problem = textProblem(script);
  if (problem !== null) return problem;
  const json = utf8Length(JSON.stringify(script));
  if (json <= MAX_SCRIPT_JSON_BYTES) return null;
  return `must have at most ${formatCount(MAX_SCRIPT_JSON_BYTES)} bytes with its control characters escaped for JSON, got ${formatCount(json)} bytes`;
}
