import fc from "fast-check";
import { expect, it } from "vitest";
import { isQuantityAbove, parseQuantity } from "./quantity.ts";

const UNIT = 10n ** 27n;

it.each([
  ["0", 0n],
  ["1", UNIT],
  ["+1", UNIT],
  ["1.", UNIT],
  ["0.5", UNIT / 2n],
  ["100n", UNIT / 10_000_000n],
  ["100u", UNIT / 10_000n],
  ["250m", UNIT / 4n],
  ["2k", 2000n * UNIT],
  ["1M", 10n ** 6n * UNIT],
  ["1E", 10n ** 18n * UNIT],
  ["1e3", 1000n * UNIT],
  ["1E-3", UNIT / 1000n],
  ["1.5Gi", 1536n * 1024n * 1024n * UNIT],
  ["1Ki", 1024n * UNIT],
])("reads %s", (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

it.each([
  "",
  " 1",
  "1 ",
  "1GB",
  "1ki",
  "1K",
  ".",
  "-1",
  "1e",
  "1e99",
  "1,5",
  "0x1",
  "m",
  "1mm",
  "1e1k",
  "1\n",
  "1".repeat(21),
])("takes %j for none", (text) => {
  expect(parseQuantity(text)).toBeNull();
});

it("compares what is written in different ways", () => {
  expect(isQuantityAbove("1Gi", "1G")).toBe(true);
  expect(isQuantityAbove("1024Mi", "1Gi")).toBe(false);
  expect(isQuantityAbove("1001m", "1")).toBe(true);
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (left, right) => {
      expect(isQuantityAbove(`${left}m`, `${right}e-3`)).toBe(left > right);
      expect(isQuantityAbove(`${left}Ki`, `${right * 1024}`)).toBe(left > right);
    }),
  );
});
