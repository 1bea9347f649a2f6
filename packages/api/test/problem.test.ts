import { type ErrorCode, TailraceError } from "@tailrace/core";
import { TRPCError } from "@trpc/server";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { HTTP_STATUS, problemOf } from "../src/errors/problem.ts";

const statuses: [ErrorCode, number][] = [
  ["BAD_REQUEST", 400],
  ["UNAUTHORIZED", 401],
  ["FORBIDDEN", 403],
  ["NOT_FOUND", 404],
  ["CONFLICT", 409],
  ["PAYLOAD_TOO_LARGE", 413],
  ["TOO_MANY_REQUESTS", 429],
  ["INTERNAL", 500],
  ["UNAVAILABLE", 503],
];

describe("problemOf", () => {
  it.each(statuses)("shows %s as %i, also inside of tRPC's error", (code, status) => {
    const error = new TailraceError(code, "said to the caller", { issues: [{ path: "a", message: "a is wrong" }] });
    const problem = problemOf(error);
    expect(problem.code).toBe(code);
    expect(HTTP_STATUS[problem.code]).toBe(status);
    expect(problemOf(new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause: error }))).toEqual(problem);
    if (code !== "INTERNAL") expect(problem).toEqual({ code, message: error.message, issues: error.issues });
  });

  it("names the fields that a schema refuses", () => {
    const { error } = z.strictObject({ limit: z.int() }).safeParse({ limit: "x", other: 1 });
    const problem = problemOf(new TRPCError({ code: "BAD_REQUEST", cause: error }));
    expect(problem.code).toBe("BAD_REQUEST");
    expect(problem.issues.map((issue) => issue.path)).toEqual(["limit", "other"]);
    expect(problem.message).toBe(problem.issues.map((issue) => issue.message).join("; "));
  });

  it("says nothing of an error that it does not know", () => {
    const secret = fc.string({ minLength: 5 }).map((text) => `secret ${text}`);
    const unknown = secret.chain((text) =>
      fc.constantFrom<unknown>(
        new Error(text),
        new TypeError(text, { cause: new TailraceError("NOT_FOUND", text) }),
        Object.assign(new Error(text), { code: "ECONNREFUSED", statusCode: 400 }),
        Object.assign(new Error(text), { code: "FST_ERR_OTHER", statusCode: 500 }),
        new TailraceError("INTERNAL", text),
        new TRPCError({ code: "INTERNAL_SERVER_ERROR", message: text, cause: new Error(text) }),
        new TRPCError({ code: "TIMEOUT", message: text }),
        new TRPCError({ code: "BAD_REQUEST", cause: new TypeError(text) }),
        { message: text, code: "NOT_FOUND" },
        text,
        null,
      ),
    );
    fc.assert(
      fc.property(unknown, (error) => {
        expect(problemOf(error)).toEqual({ code: "INTERNAL", message: "internal error", issues: [] });
      }),
    );
  });
});
