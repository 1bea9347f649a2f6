import { isTailraceError } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { restInput } from "../src/rest/input.ts";

const none = { params: {}, query: {}, body: undefined };

describe("restInput", () => {
  it("joins path, query, header and body", () => {
    expect(
      restInput({ params: { teamId: "a" }, query: { cursor: "c" }, body: { comment: "x" }, idempotencyKey: "k" }),
    ).toEqual({ teamId: "a", cursor: "c", comment: "x", idempotencyKey: "k" });
  });

  it("reads limit, and only limit, as a number", () => {
    expect(restInput({ ...none, query: { limit: "20", cursor: "20" } })).toEqual({ limit: 20, cursor: "20" });
    expect(restInput({ ...none, query: { limit: "1.5" } })).toEqual({ limit: 1.5 });
  });

  it.each(["", "ten", "1e3", "0x10", " 5", ["1", "2"]])("leaves the limit %j for the schema to refuse", (limit) => {
    expect(restInput({ ...none, query: { limit } })).toEqual({ limit });
  });

  it.each([null, [], "text", 3, true])("refuses the body %j", (body) => {
    expect(() => restInput({ ...none, body })).toThrow("the body must be a JSON object");
  });

  it("never lets one place override another", () => {
    const place = fc.dictionary(fc.constantFrom("teamId", "runId", "limit", "__proto__", "comment"), fc.string());
    fc.assert(
      fc.property(place, place, place, (params, query, body) => {
        const names = [params, query, body].flatMap((fields) => Object.keys(fields));
        const repeated = new Set(names.filter((name, at) => names.indexOf(name) !== at));
        try {
          const input = restInput({ params, query, body });
          expect(repeated.size).toBe(0);
          expect(Object.keys(input).toSorted()).toEqual(names.toSorted());
          for (const [name, value] of Object.entries(params))
            expect(Object.entries(input)).toContainEqual([name, value]);
        } catch (error) {
          if (!isTailraceError(error, "BAD_REQUEST")) throw error;
          expect(new Set(error.issues.map((issue) => issue.path))).toEqual(repeated);
        }
      }),
    );
  });
});
