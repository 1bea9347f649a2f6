import type { LogPattern } from "@tailrace/core";
import type { LinePattern } from "./line-pattern.ts";
import { RegexPattern } from "./regex-pattern.ts";
import { FoldedPattern, SubstringPattern } from "./substring-pattern.ts";

/** @throws SyntaxError for an expression that is none */
export function compilePattern({ kind, text }: LogPattern, ignoreCase: boolean): LinePattern {
  if (kind === "regex") return new RegexPattern(text, ignoreCase);
  return ignoreCase ? new FoldedPattern(text) : new SubstringPattern(text);
}
