import { parseInstant } from "@tailrace/core";
import { z } from "zod";

/** The last time that PostgreSQL's bigint takes as nanoseconds, with one to spare: in the year 2262. */
const MAX_TIME = 2n ** 63n - 2n;

/**
 * A time in RFC 3339 with up to nine fraction digits and any offset, as nanoseconds since the epoch. One before 1970 is
 * 1970, since no line is older, and one after 2262 is the last that can be told apart.
 *
 * @param field - names the field in messages
 */
export function instant(field: string) {
  const rule = `${field} must be a time with an offset and at most 9 fraction digits, such as 2026-11-24T10:00:00.5Z`;
  return z.iso.datetime({ offset: true, error: rule }).transform((text, check): bigint => {
    const time = parseInstant(text);
    if (time !== null) return time < 0n ? 0n : time > MAX_TIME ? MAX_TIME : time;
    check.addIssue({ code: "custom", message: rule });
    return z.NEVER;
  });
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * A length of time such as `500ms`, `10s`, `1m`, in milliseconds.
 *
 * @param field - names the field in messages
 * @param max - the longest, in milliseconds
 */
export function duration(field: string, max = Infinity) {
  const most = max === Infinity ? "" : `, and ${max / 1000}s at most`;
  const rule = `${field} must be a whole number from 1 to 9999 with ms, s, m, h or d behind it, such as 10s${most}`;
  return z
    .string(rule)
    .regex(/^[1-9]\d{0,3}(?:ms|s|m|h|d)$/, rule)
    .transform((text) => {
      const [, count, unit] = /^(\d+)([a-z]+)$/.exec(text)!;
      return Number(count) * UNITS[unit as keyof typeof UNITS];
    })
    .refine((ms) => ms <= max, rule);
}
