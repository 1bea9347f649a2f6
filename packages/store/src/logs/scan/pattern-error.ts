import { TailraceError } from "@tailrace/core";
import type { PatternPlace } from "./line-filter.ts";

/** @param message - a sentence that says what is wrong with the pattern */
export function patternError({ list, index }: PatternPlace, message: string): TailraceError {
  return new TailraceError("BAD_REQUEST", message, { issues: [{ path: `${list}.${index}`, message }] });
}

/** What V8 says of an expression, without the expression, which may be long. */
export function reasonOf(error: Error): string {
  return error.message.replace(/^.*: /s, "");
}
