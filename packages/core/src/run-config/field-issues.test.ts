import { expect, it } from "vitest";
import { z } from "zod";
import { fieldIssues } from "./field-issues.ts";
import { parallelismSchema } from "./schema.ts";

const schema = z.strictObject({
  scenarioId: z.string().regex(/^[a-z]+$/),
  comment: z.string().max(5).nullish(),
  limit: z.number().min(1).max(200).optional(),
  status: z.enum(["running", "finished"]).optional(),
  tags: z.array(z.string().min(1)).max(1).optional(),
  nested: z.strictObject({ on: z.boolean(), parallelism: parallelismSchema.optional() }).optional(),
  parallelism: parallelismSchema.optional(),
  even: z
    .number()
    .refine((n) => n % 2 === 0, "is odd")
    .optional(),
});

function issuesOf(input: unknown, reportInput = false) {
  const parsed = schema.safeParse(input, { reportInput });
  return parsed.success ? [] : fieldIssues(parsed.error);
}

it.each([
  [{ comment: "abcdef" }, "comment", "comment must have at most 5 characters"],
  [{ comment: 3 }, "comment", "comment must be a string"],
  [{ scenarioId: "A" }, "scenarioId", "scenarioId must match /^[a-z]+$/"],
  [{ scenarioId: undefined }, "scenarioId", "scenarioId must be a string"],
  [{ limit: 0 }, "limit", "limit must be at least 1"],
  [{ limit: 201 }, "limit", "limit must be at most 200"],
  [{ status: "done" }, "status", "status must be one of running, finished"],
  [{ tags: ["a", "b"] }, "tags", "tags must have at most 1 item"],
  [{ tags: [""] }, "tags.0", "tags.0 must have at least 1 character"],
  [{ nested: { on: 1 } }, "nested.on", "nested.on must be a boolean"],
  [{ nested: { on: true, off: 1 } }, "nested.off", 'unknown field "off"'],
  [
    { nested: { on: true, parallelism: 0 } },
    "nested.parallelism",
    "parallelism must be an integer from 1 to 10, got 0",
  ],
  [{ even: 3 }, "even", "even is not valid: is odd"],
  [{ parallelism: "3" }, "parallelism", 'parallelism must be an integer from 1 to 10, got the string "3"'],
])("%j", (fields, path, message) => {
  expect(issuesOf({ scenarioId: "a", ...fields })).toEqual([{ path, message }]);
});

it("echoes the value where zod reports it, and names the whole input", () => {
  expect(issuesOf({ scenarioId: "a", limit: 0 }, true)).toEqual([
    { path: "limit", message: "limit must be at least 1, got 0" },
  ]);
  expect(issuesOf("x")).toEqual([{ path: "", message: "the input must be an object" }]);
});

it("gives one issue a field, in order", () => {
  expect(issuesOf({ a: 1, b: 2 })).toEqual([
    { path: "scenarioId", message: "scenarioId must be a string" },
    { path: "a", message: 'unknown field "a"' },
    { path: "b", message: 'unknown field "b"' },
  ]);
});
