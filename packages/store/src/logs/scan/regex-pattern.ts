import { confineToLine } from "./confine-to-line.ts";
import type { ChunkText } from "./chunk-text.ts";
import type { LinePattern } from "./line-pattern.ts";

const NOT_ASCII = /[^\0-\x7f]/g;

/**
 * An expression, in JavaScript's syntax and without flags but `i`. It sees a line as UTF-8 text; what is none is U+FFFD.
 *
 * Where it can be kept from going beyond a line it runs over the whole chunk at once, and what it finds is tested on its
 * own line. Lines that are not ASCII are always tested one by one.
 */
export class RegexPattern implements LinePattern {
  readonly #line: RegExp;
  /** Null where it has to be tested on each line. */
  readonly #chunk: RegExp | null;

  constructor(source: string, ignoreCase: boolean) {
    const flags = ignoreCase ? "i" : "";
    this.#line = new RegExp(source, flags);
    const confined = confineToLine(source);
    this.#chunk = confined === null ? null : new RegExp(confined, `${flags}gm`);
  }

  mark(text: ChunkText, marks: Uint8Array): void {
    if (this.#chunk === null) {
      for (let line = 0; line < text.lines; line++) if (this.test(text, line)) marks[line] = 1;
      return;
    }
    if (!text.ascii) this.#markOthers(text, marks);
    this.#markAscii(text, this.#chunk, marks);
  }

  test(text: ChunkText, line: number): boolean {
    const start = text.start(line);
    const end = text.ends[line]!;
    return this.#line.test(text.ascii ? text.latin1.slice(start, end) : text.bytes.toString("utf8", start, end));
  }

  /** Other lines may be hit too, but only by a match on their own text: those are marked already. */
  #markAscii(text: ChunkText, expression: RegExp, marks: Uint8Array): void {
    const { latin1 } = text;
    let line = 0;
    expression.lastIndex = 0;
    for (let hit = expression.exec(latin1); hit !== null; hit = expression.exec(latin1)) {
      while (line < text.lines && text.ends[line]! < hit.index) line += 1;
      if (line === text.lines) return;
      if (marks[line] === 0 && this.test(text, line)) marks[line] = 1;
      expression.lastIndex = text.ends[line]! + 1;
    }
  }

  #markOthers(text: ChunkText, marks: Uint8Array): void {
    const { latin1 } = text;
    let line = 0;
    NOT_ASCII.lastIndex = 0;
    for (let hit = NOT_ASCII.exec(latin1); hit !== null; hit = NOT_ASCII.exec(latin1)) {
      while (text.ends[line]! < hit.index) line += 1;
      if (this.test(text, line)) marks[line] = 1;
      NOT_ASCII.lastIndex = text.ends[line]! + 1;
    }
  }
}
