import fc from "fast-check";
import { expect, test } from "vitest";
import { copyLine } from "../../../src/logs/lines/copy-line.ts";

/** Bytes that a search eight at a time can take for a newline. */
const byte = fc.oneof({ weight: 3, arbitrary: fc.nat(255) }, fc.constantFrom(0x0a, 0x0b, 0x09, 0x8a, 0x00, 0xff, 0x80));

test("copies up to the next newline, wherever it stands", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ max: 255, maxLength: 5 }),
      fc.array(byte, { maxLength: 60 }),
      fc.nat(9),
      (head, text, target) => {
        const from = Uint8Array.from([...head, ...text, 0x0a, 0x0a]);
        const start = head.length;
        const end = start + text.length;
        const to = new Uint8Array(target + text.length + 7).fill(0xee);
        const length = copyLine(new DataView(from.buffer), start, end, new DataView(to.buffer), target);
        const newline = text.indexOf(0x0a);
        expect(length).toBe(newline);
        const copied = newline === -1 ? text.length : newline;
        expect(Array.from(to.subarray(target, target + copied))).toEqual(text.slice(0, copied));
        expect(to.subarray(0, target).every((each) => each === 0xee)).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

test("a view may begin anywhere in its memory", () => {
  const memory = Uint8Array.from("....0123456789abcdef\n", (char) => char.charCodeAt(0));
  const from = new DataView(memory.buffer, 4);
  const to = new Uint8Array(40);
  expect(copyLine(from, 0, 17, new DataView(to.buffer), 3)).toBe(16);
  expect(Buffer.from(to.subarray(3, 19)).toString()).toBe("0123456789abcdef");
});
