import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCursor, encodeCursor, toPage } from "../src/page.ts";

test("a cursor gives back what was made of it, for its own list alone", () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 2n ** 63n - 1n), (seq) => {
      const cursor = encodeCursor("runs", seq);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(decodeCursor("runs", cursor)).toBe(seq);
      expect(() => decodeCursor("teams", cursor)).toThrow("cursor");
    }),
  );
});

test("anything else is refused", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const made = Buffer.from(text).toString("base64url");
      for (const cursor of [text, made])
        expect(() => decodeCursor("runs", cursor)).toThrow("cursor must be the nextCursor");
    }),
  );
});

test("a page has a next one only when there are more rows than it shows", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(1n, 100n)), fc.integer({ min: 1, max: 10 }), (seqs, limit) => {
      const page = toPage(
        "runs",
        seqs.slice(0, limit + 1).map((seq) => ({ seq })),
        limit,
        (row) => row.seq,
      );
      expect(page.items).toEqual(seqs.slice(0, limit));
      expect(page.nextCursor === null).toBe(seqs.length <= limit);
      if (page.nextCursor !== null) expect(decodeCursor("runs", page.nextCursor)).toBe(page.items.at(-1));
    }),
  );
});
