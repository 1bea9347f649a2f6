import { z } from "zod";
import { parseDuration } from "./duration.ts";

export const text = z.string();
export const optionalText = z.string().optional();
export const list = z.string().transform((value) =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

export function integer(min: number, max: number): z.ZodType<number, string | undefined> {
  const rule = `must be an integer from ${min} to ${max}`;
  return z
    .string()
    .regex(/^-?\d+$/, rule)
    .transform(Number)
    .refine((value) => value >= min && value <= max, rule);
}

const DURATION_RULE = "must be a duration such as 500ms, 5s, 2m or 24h";

export const duration = z.string().transform((value, context) => {
  const ms = parseDuration(value);
  if (ms !== null && ms > 0 && ms <= 2_000_000_000) return ms;
  context.addIssue({ code: "custom", message: DURATION_RULE });
  return z.NEVER;
});

export const durationOrNever = z.string().transform((value, context) => {
  if (value === "never") return null;
  const ms = parseDuration(value);
  if (ms !== null) return ms;
  context.addIssue({ code: "custom", message: `${DURATION_RULE}, or never` });
  return z.NEVER;
});

export const flag = z.enum(["true", "false"]).transform((value) => value === "true");

const SIZE_UNITS = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

/** A size in bytes. */
export const byteSize = z.string().transform((value, context) => {
  const match = /^(\d{1,6})(KiB|MiB|GiB|TiB)$/.exec(value);
  if (match !== null) return Number(match[1]) * SIZE_UNITS[match[2] as keyof typeof SIZE_UNITS];
  context.addIssue({ code: "custom", message: "must be a size such as 512MiB or 10GiB" });
  return z.NEVER;
});

/** Whole days; null for `never`. */
export const daysOrNever = z.string().transform((value, context) => {
  if (value === "never") return null;
  const days = Number(/^(\d{1,4})d$/.exec(value)?.[1] ?? 0);
  if (days >= 1 && days <= 3650) return days;
  context.addIssue({ code: "custom", message: "must be from 1d to 3650d, or never" });
  return z.NEVER;
});

/** A JSON value of the given shape; the fields inside are Kubernetes' own and are checked by its API server. */
export function json<T>(shape: z.ZodType<T>, what: string): z.ZodType<T | undefined, string | undefined> {
  return z
    .string()
    .optional()
    .transform((value, context) => {
      if (value === undefined) return undefined;
      const parsed = parseJson(value);
      const result = shape.safeParse(parsed);
      if (result.success) return result.data;
      context.addIssue({ code: "custom", message: `must be ${what} as JSON` });
      return z.NEVER;
    });
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export const object = z.record(z.string(), z.unknown());
