import { isTailraceError } from "@tailrace/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { restInput } from "../src/rest/input.ts";
import { queryFields } from "../src/rest/query-fields.ts";
import { proceduresOf } from "../src/trpc/procedures.ts";
import { appRouter } from "../src/index.ts";

const none = { params: {}, query: {}, body: undefined };

const fields = queryFields(
  z
    .strictObject({
      cursor: z.string().optional(),
      limit: z.int().default(20),
      ratio: z.number().nullable().optional(),
      ignoreCase: z.boolean().default(false),
      include: z.array(z.string()).default([]),
      runners: z.array(z.int()).optional(),
      from: z.iso.datetime().transform((text) => BigInt(text.length)),
    })
    .superRefine(() => undefined)
    .prefault({ from: "" }),
);

function read(query: Record<string, string | string[]>): Record<string, unknown> {
  return restInput({ ...none, query }, fields);
}

describe("queryFields", () => {
  it("says of each field of a schema what it is in a query", () => {
    expect(Object.fromEntries(fields)).toEqual({
      cursor: { list: false, type: "text" },
      limit: { list: false, type: "number" },
      ratio: { list: false, type: "number" },
      ignoreCase: { list: false, type: "boolean" },
      include: { list: true, type: "text" },
      runners: { list: true, type: "number" },
      from: { list: false, type: "text" },
    });
  });

  it("can be asked of every procedure's input", () => {
    const inputs = proceduresOf(appRouter).map(({ path, input }) => [path, queryFields(input)] as const);
    expect(new Map(inputs).get("logs.page")?.get("runners")).toEqual({ list: true, type: "number" });
    expect(new Map(inputs).get("teams.list")?.get("limit")).toEqual({ list: false, type: "number" });
  });

  it("refuses a schema that is no object's", () => {
    expect(() => queryFields(z.string())).toThrow("must be an object");
  });
});

describe("restInput", () => {
  it("joins path, query, header and body", () => {
    const parts = { params: { teamId: "a" }, query: { cursor: "c" }, body: { comment: "x" }, idempotencyKey: "k" };
    expect(restInput(parts, fields)).toEqual({ teamId: "a", cursor: "c", comment: "x", idempotencyKey: "k" });
  });

  it("reads numbers where the field is one, and nowhere else", () => {
    expect(read({ limit: "20", cursor: "20" })).toEqual({ limit: 20, cursor: "20" });
    expect(read({ limit: "1.5", ratio: "-2.5" })).toEqual({ limit: 1.5, ratio: -2.5 });
  });

  it("reads true and false where the field is one of them", () => {
    expect(read({ ignoreCase: "true", cursor: "true" })).toEqual({ ignoreCase: true, cursor: "true" });
    expect(read({ ignoreCase: "false" })).toEqual({ ignoreCase: false });
    expect(read({ ignoreCase: "yes" })).toEqual({ ignoreCase: "yes" });
  });

  it("reads a list from one value or several", () => {
    expect(read({ include: "a", runners: "1" })).toEqual({ include: ["a"], runners: [1] });
    expect(read({ include: ["a", "1"], runners: ["1", "x"] })).toEqual({ include: ["a", "1"], runners: [1, "x"] });
  });

  it.each([[""], ["ten"], ["1e3"], ["0x10"], [" 5"], [["1", "2"]]])(
    "leaves the limit %j for the schema to refuse",
    (limit) => {
      expect(read({ limit })).toEqual({ limit });
    },
  );

  it("leaves a field that the schema does not have for it to refuse", () => {
    expect(read({ other: "1", toString: "1" })).toEqual({ other: "1", toString: "1" });
  });

  it.each([[null], [[]], ["text"], [3], [true]])("refuses the body %j", (body) => {
    expect(() => restInput({ ...none, body }, fields)).toThrow("the body must be a JSON object");
  });

  it("never lets one place override another", () => {
    const place = fc.dictionary(fc.constantFrom("teamId", "runId", "limit", "__proto__", "comment"), fc.string());
    fc.assert(
      fc.property(place, place, place, (params, query, body) => {
        const names = [params, query, body].flatMap((given) => Object.keys(given));
        const repeated = new Set(names.filter((name, at) => names.indexOf(name) !== at));
        try {
          const input = restInput({ params, query, body }, fields);
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
