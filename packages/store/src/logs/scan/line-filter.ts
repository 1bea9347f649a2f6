import { levelBit } from "@tailrace/core/chunk";
import type { LogFilter } from "@tailrace/core";
import type { ChunkText } from "./chunk-text.ts";
import { compilePattern } from "./compile-pattern.ts";
import type { LinePattern } from "./line-pattern.ts";

/** The bits of all levels and of none. */
export const ALL_LEVELS = 127;

/** A filter as it goes to a worker. */
export interface ScanFilter extends Omit<LogFilter, "levels"> {
  /** The bits of the levels that pass (see core's `level.ts`). */
  levels: number;
}

/** Names a pattern of a filter. */
export interface PatternPlace {
  list: "include" | "exclude";
  index: number;
}

/** Decides which lines of a chunk pass. */
export class LineFilter {
  readonly #include: readonly LinePattern[];
  readonly #exclude: readonly LinePattern[];
  readonly #levels: number;
  readonly #onPattern: (place: PatternPlace) => void;

  /**
   * @param onPattern - told of a pattern before it is tested, which may take for ever
   * @throws SyntaxError
   */
  constructor(filter: ScanFilter, onPattern: (place: PatternPlace) => void) {
    const compile = (patterns: LogFilter["include"]): LinePattern[] =>
      patterns.map((pattern) => compilePattern(pattern, filter.ignoreCase));
    this.#include = compile(filter.include);
    this.#exclude = compile(filter.exclude);
    this.#levels = filter.levels;
    this.#onPattern = onPattern;
  }

  /** @param levels - the bits that occur in the chunk @returns 1 for each line that passes */
  match(text: ChunkText, levels: number): Uint8Array {
    const marks = new Uint8Array(text.lines);
    if (this.#include.length === 0) marks.fill(1);
    for (const [index, pattern] of this.#include.entries()) {
      this.#onPattern({ list: "include", index });
      pattern.mark(text, marks);
    }
    if ((levels & ~this.#levels) !== 0) this.#clearLevels(text, marks);
    for (const [index, pattern] of this.#exclude.entries()) {
      this.#onPattern({ list: "exclude", index });
      this.#clear(text, pattern, marks);
    }
    return marks;
  }

  #clearLevels(text: ChunkText, marks: Uint8Array): void {
    const { view, bytes } = text;
    for (let line = marks.indexOf(1); line !== -1; line = marks.indexOf(1, line + 1))
      if ((levelBit(view, bytes, text.start(line), text.ends[line]!) & this.#levels) === 0) marks[line] = 0;
  }

  /** Over the whole chunk where every line may be meant, line by line where others have chosen. */
  #clear(text: ChunkText, pattern: LinePattern, marks: Uint8Array): void {
    if (this.#include.length === 0) {
      const excluded = new Uint8Array(text.lines);
      pattern.mark(text, excluded);
      for (let line = excluded.indexOf(1); line !== -1; line = excluded.indexOf(1, line + 1)) marks[line] = 0;
      return;
    }
    for (let line = marks.indexOf(1); line !== -1; line = marks.indexOf(1, line + 1))
      if (pattern.test(text, line)) marks[line] = 0;
  }
}
