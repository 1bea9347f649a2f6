import { describe, expect, test } from "vitest";
import { TailraceError } from "@tailrace/core";
import { DrizzleQueryError } from "../src/drizzle.ts";
import { retryable, translateError } from "../src/failures.ts";

const withCode = (code: string): Error => Object.assign(new Error("failed"), { code });

describe("retryable", () => {
  test.each(["40001", "40P01", "57P01", "57P03", "53300", "08006", "57014", "25006", "ECONNREFUSED", "ECONNRESET"])(
    "is true for %s",
    (code) => {
      expect(retryable(withCode(code))).toBe(true);
      expect(retryable(new DrizzleQueryError("select", [], withCode(code)))).toBe(true);
    },
  );

  test.each(["23505", "23514", "22021", "42P01", "42501", "28P01", "3D000", "toString", "EACCES"])(
    "is false for %s",
    (code) => {
      expect(retryable(withCode(code))).toBe(false);
    },
  );

  test("knows the driver's errors without a code by their messages", () => {
    expect(retryable(new Error("Connection terminated unexpectedly"))).toBe(true);
    expect(retryable(new AggregateError([withCode("ECONNREFUSED")]))).toBe(true);
    expect(retryable(new Error("something else"))).toBe(false);
    expect(retryable("Connection terminated")).toBe(false);
    expect(retryable(undefined)).toBe(false);
  });

  test("of a translated error as of the one it stands for", () => {
    expect(retryable(translateError(withCode("57P01")))).toBe(true);
    expect(retryable(translateError(withCode("22021")))).toBe(false);
    expect(retryable(new TailraceError("CONFLICT", "taken"))).toBe(false);
  });
});

describe("translateError", () => {
  test("keeps what is Tailrace's own", () => {
    const error = new TailraceError("NOT_FOUND", "no team x");
    expect(translateError(error)).toBe(error);
  });

  test("drops the statement's parameters from what is logged", () => {
    const cause = withCode("XX000");
    expect(translateError(new DrizzleQueryError("insert", ["secret script"], cause))).toBe(cause);
  });
});
