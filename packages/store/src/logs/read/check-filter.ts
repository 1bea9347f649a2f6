import { LEVEL_BITS, NO_LEVEL_BIT, type LogFilter } from "@tailrace/core";
import { compilePattern } from "../scan/compile-pattern.ts";
import { ALL_LEVELS, type ScanFilter } from "../scan/line-filter.ts";
import { patternError, reasonOf } from "../scan/pattern-error.ts";

/** Longer ones are no longer read by anybody, and cost the engine more than their lines do. */
const MAX_PATTERN = 1_000;

/** @throws TailraceError BAD_REQUEST, naming the pattern that is none, or too long */
export function checkFilter(filter: LogFilter): ScanFilter {
  for (const list of ["include", "exclude"] as const)
    for (const [index, pattern] of filter[list].entries()) {
      if (pattern.text.length > MAX_PATTERN)
        throw patternError({ list, index }, `must have at most ${MAX_PATTERN} characters`);
      try {
        compilePattern(pattern, filter.ignoreCase);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        throw patternError({ list, index }, `must be a regular expression as JavaScript has them: ${reasonOf(error)}`);
      }
    }
  const levels = filter.levels?.reduce((bits, level) => bits | (level === null ? NO_LEVEL_BIT : LEVEL_BITS[level]), 0);
  return {
    include: filter.include,
    exclude: filter.exclude,
    ignoreCase: filter.ignoreCase,
    levels: levels ?? ALL_LEVELS,
  };
}

/** True for a filter that every line passes. */
export function passesAll({ include, exclude, levels }: ScanFilter): boolean {
  return include.length === 0 && exclude.length === 0 && levels === ALL_LEVELS;
}
