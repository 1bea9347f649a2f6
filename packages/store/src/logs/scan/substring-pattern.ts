import type { ChunkText } from "./chunk-text.ts";
import type { LinePattern } from "./line-pattern.ts";

/** Finds bytes, in a whole chunk at once; behind a hit it goes on in the next line. */
export class SubstringPattern implements LinePattern {
  readonly #needle: Buffer;

  constructor(text: string) {
    this.#needle = Buffer.from(text);
  }

  mark(text: ChunkText, marks: Uint8Array): void {
    const needle = this.#needle;
    if (needle.length === 0) return void marks.fill(1);
    const { bytes } = text;
    for (let at = bytes.indexOf(needle), line = 0; at !== -1; at = bytes.indexOf(needle, text.ends[line]! + 1)) {
      while (text.ends[line]! < at) line += 1;
      // One that holds a newline is in no line.
      if (at + needle.length <= text.ends[line]!) marks[line] = 1;
    }
  }

  test(text: ChunkText, line: number): boolean {
    return text.bytes.subarray(text.start(line), text.ends[line]).includes(this.#needle);
  }
}

/** Finds bytes where ASCII letters stand for both cases. */
export class FoldedPattern implements LinePattern {
  readonly #expression: RegExp;

  constructor(text: string) {
    this.#expression = new RegExp(Array.from(Buffer.from(text), bothCases).join(""), "g");
  }

  mark(text: ChunkText, marks: Uint8Array): void {
    const expression = this.#expression;
    const { latin1 } = text;
    let line = 0;
    expression.lastIndex = 0;
    for (let hit = expression.exec(latin1); hit !== null; hit = expression.exec(latin1)) {
      while (line < text.lines && text.ends[line]! < hit.index) line += 1;
      if (line === text.lines) return;
      if (hit.index + hit[0].length <= text.ends[line]!) marks[line] = 1;
      expression.lastIndex = text.ends[line]! + 1;
    }
  }

  test(text: ChunkText, line: number): boolean {
    this.#expression.lastIndex = 0;
    return this.#expression.test(text.latin1.slice(text.start(line), text.ends[line]));
  }
}

function bothCases(byte: number): string {
  const hex = `\\x${byte.toString(16).padStart(2, "0")}`;
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  return isLetter ? `[${hex}\\x${(byte ^ 0x20).toString(16).padStart(2, "0")}]` : hex;
}
