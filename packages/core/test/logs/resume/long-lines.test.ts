import { describe, expect, test } from "vitest";
import { Marks, PodLogResume, type Chunk } from "../../../src/index.ts";
import { concat, utf8 } from "../model/bytes.ts";
import { inPieces, linesOf, linesRead, newBuilder, readFile, type ShownLine } from "../support.ts";

const MIB = 1024 * 1024;
const PIECE = 16_384;
const T = "2026-11-23T16:22:29.240000000Z";

function fromApi(text: string, size: number, newline: boolean): number[] {
  const builder = newBuilder(false);
  const full: Chunk[] = [];
  const resume = new PodLogResume(builder, new Marks(), 0, () => void full.push(builder.take()!));
  resume.begin(resume.ask(true), 0);
  inPieces(utf8(`${T} ${text}${newline ? "\n" : ""}`), [size], (piece) => resume.push(piece, 0));
  resume.end(true);
  return shape([...full, builder.take()].flatMap(linesOf));
}

function fromNode(text: string, size: number, newline: boolean): number[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < text.length; at += PIECE) {
    const full = newline && at + PIECE >= text.length;
    pieces.push(utf8(`${T} stdout ${full ? "F" : "P"} ${text.slice(at, at + PIECE)}\n`));
  }
  const read = readFile(concat(pieces), { sizes: [size] });
  read.parser.finish();
  return shape(linesRead(read));
}

/** The lengths of the parts; negative for those without a newline. */
function shape(lines: readonly ShownLine[]): number[] {
  return lines.map(({ text, unfinished }) => (unfinished ? -text.length : text.length));
}

describe("a line that is longer than may be", () => {
  test.each([
    [MIB - 1, [MIB - 1]],
    [MIB, [MIB]],
    [MIB + 1, [-MIB, 1]],
    [2 * MIB - 1, [-MIB, MIB - 1]],
    [2 * MIB, [-MIB, MIB]],
    [2 * MIB + 1, [-MIB, -MIB, 1]],
  ])("of %d bytes is cut in the same places, whatever its source and its pieces", (length, expected) => {
    const text = "x".repeat(length);
    for (const size of [PIECE, 65_536, MIB + 50, 4 * MIB]) {
      expect(fromApi(text, size, true)).toEqual(expected);
      expect(fromNode(text, size, true)).toEqual(expected);
    }
  });

  test("without a newline at its end has none in its last part", () => {
    const text = "x".repeat(MIB + 1);
    for (const size of [PIECE, 4 * MIB]) {
      expect(fromApi(text, size, false)).toEqual([-MIB, -1]);
      expect(fromNode(text, size, false)).toEqual([-MIB, -1]);
    }
  });
});
