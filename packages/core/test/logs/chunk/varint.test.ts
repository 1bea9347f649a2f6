import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readNotes, writeNotes } from "../../../src/logs/chunk/notes.ts";
import { unzigzag, VarintReader, writeVarint, zigzag } from "../../../src/logs/chunk/varint.ts";

describe("varint", () => {
  test.each([
    [0, [0]],
    [127, [127]],
    [128, [128, 1]],
    [300, [172, 2]],
    [2 ** 31, [128, 128, 128, 128, 8]],
    [2 ** 32 - 1, [255, 255, 255, 255, 15]],
    [2 ** 32, [128, 128, 128, 128, 16]],
    [2 ** 53 - 1, [255, 255, 255, 255, 255, 255, 255, 15]],
  ])("%d is written as %j", (value, expected) => {
    const bytes = new Uint8Array(9);
    expect(writeVarint(bytes, 1, value)).toBe(1 + expected.length);
    expect(Array.from(bytes.subarray(1, 1 + expected.length))).toEqual(expected);
  });

  test("many are read back in their order", () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { maxLength: 30 }), (values) => {
        const bytes = new Uint8Array(values.length * 8);
        const end = values.reduce((at, value) => writeVarint(bytes, at, value), 0);
        const reader = new VarintReader(bytes.subarray(0, end));
        expect(values.map(() => reader.next())).toEqual(values);
        expect(reader.at).toBe(end);
      }),
    );
  });
});

describe("zigzag", () => {
  test.each([
    [0, 0],
    [-1, 1],
    [1, 2],
    [-2, 3],
    [2 ** 50, 2 ** 51],
    [-(2 ** 50), 2 ** 51 - 1],
  ])("%d becomes %d and back", (value, coded) => {
    expect(zigzag(value)).toBe(coded);
    expect(unzigzag(coded)).toBe(value);
  });
});

describe("notes", () => {
  test("are read back", () => {
    const note = fc.record({
      index: fc.nat(),
      head: fc.nat(),
      restDelay: fc.integer({ min: -(2 ** 49), max: 2 ** 49 }).map((value) => value + 0),
    });
    fc.assert(
      fc.property(fc.array(note, { maxLength: 10 }), (notes) => {
        expect(readNotes(writeNotes(notes))).toEqual(notes);
      }),
    );
  });

  test("none take no room", () => {
    expect(writeNotes([])).toHaveLength(0);
  });
});
