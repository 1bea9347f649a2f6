import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Hash64 } from "../../../src/index.ts";
import { utf8 } from "../model/bytes.ts";

function hash(bytes: Uint8Array, before = 0, behind = 0): string {
  const memory = new Uint8Array(before + bytes.length + behind).fill(0x5a);
  memory.set(bytes, before);
  return new Hash64().update(new DataView(memory.buffer), before, before + bytes.length).hex();
}

describe("Hash64", () => {
  test("what stands around the bytes does not matter", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(9), fc.nat(9), (bytes, before, behind) => {
        expect(hash(bytes, before, behind)).toBe(hash(bytes));
        expect(hash(bytes)).toMatch(/^[0-9a-f]{16}$/);
      }),
    );
  });

  test("one object hashes many", () => {
    const hasher = new Hash64();
    const view = new DataView(utf8("first second").buffer);
    hasher.update(view, 0, 5);
    expect(hasher.update(view, 6, 12).hex()).toBe(hash(utf8("second")));
  });

  test("tells apart what differs by one bit, by length or by zeros alone", () => {
    const seen = new Map<string, string>();
    const add = (bytes: Uint8Array): void => {
      const name = Buffer.from(bytes).toString("hex");
      const key = hash(bytes);
      if (seen.has(key)) throw new Error(`${name} and ${seen.get(key)} are ${key}`);
      seen.set(key, name);
    };
    for (let length = 0; length < 70; length += 1) {
      add(new Uint8Array(length));
      for (let bit = 0; bit < length * 8; bit += 1) {
        const bytes = new Uint8Array(length);
        bytes[bit >> 3] = 1 << (bit & 7);
        add(bytes);
      }
    }
    for (let number = 0; number < 50_000; number += 1)
      add(utf8(`time="2026-11-23T16:22:29Z" level=info msg="n=${number}"`));
  });

  // Positions are stored with hashes in them: another function would find none of them.
  test.each([
    ["", "84bd5cc870d7ca66"],
    ["a", "a813d7bcc86b720c"],
    ["abcd", "a526a8c8818950d7"],
    ["2026-11-23T16:22:29.24Z stdout F text\n", "7738b94eed44a9e0"],
  ])("the hash of %j stays", (text, expected) => {
    expect(hash(utf8(text))).toBe(expected);
  });
});
