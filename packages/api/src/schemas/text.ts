import { z } from "zod";

/**
 * Text of `min` to `max` characters that PostgreSQL takes (no NUL) and that survives UTF-8 (no half surrogate pairs).
 *
 * @param field - names the field in messages
 */
export function text(field: string, min: number, max: number): z.ZodString {
  const range = min === 0 ? `at most ${max} characters` : `${min} to ${max} characters`;
  return z.string(`${field} must be a string of ${range}`).superRefine((value, check) => {
    const fail = (rule: string): void => check.addIssue({ code: "custom", message: `${field} ${rule}` });
    const length = Array.from(value).length;
    if (length < min || length > max) fail(`must have ${range}, got ${length}`);
    if (!value.isWellFormed()) fail("must be well-formed Unicode, got half a surrogate pair");
    if (value.includes("\0")) fail("must not contain NUL");
  });
}
