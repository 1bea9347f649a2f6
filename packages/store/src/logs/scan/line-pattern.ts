import type { ChunkText } from "./chunk-text.ts";

/** A pattern that is tested on one line at a time. */
export interface LinePattern {
  /** Sets 1 for each line that has it. */
  mark(text: ChunkText, marks: Uint8Array): void;
  test(text: ChunkText, line: number): boolean;
}
