import type { z } from "zod";
import type { FieldIssue } from "../errors.ts";
import { describeValue, quote } from "./text.ts";

/**
 * Turns the issues of any zod error into one per field, each a sentence that names the field. Messages of schemas
 * that name their field are kept; zod's own are replaced by what the issue says about the limits.
 */
export function fieldIssues(error: z.ZodError): FieldIssue[] {
  const found = new Map<string, string>();
  for (const { path, message } of error.issues.flatMap(expand)) {
    if (!found.has(path)) found.set(path, message);
  }
  return Array.from(found, ([path, message]) => ({ path, message }));
}

function expand(issue: z.core.$ZodIssue): FieldIssue[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      path: [...issue.path.map(String), key].join("."),
      message: `unknown field ${quote(key)}`,
    }));
  return [
    {
      path,
      message: namesField(issue) ? issue.message : `${path === "" ? "the input" : path} ${rule(issue)}${got(issue)}`,
    },
  ];
}

function namesField({ path, message }: z.core.$ZodIssue): boolean {
  const names = path.length === 0 ? ["the input"] : [path.map(String).join("."), ...path.map(String)];
  return names.some((name) => message.startsWith(`${name} `) || message.startsWith(`${name}.`));
}

/** The value is there only for schemas that were told to report it. */
function got(issue: z.core.$ZodIssue): string {
  return "input" in issue && issue.input !== undefined ? `, got ${describeValue(issue.input)}` : "";
}

function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
    case "too_small":
      return `must ${amount(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum)}`;
    case "too_big":
      return `must ${amount(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum)}`;
    case "invalid_value":
      return `must be ${issue.values.length === 1 ? "" : "one of "}${issue.values.map(String).join(", ")}`;
    case "invalid_format":
      return issue.pattern === undefined ? `must be a valid ${issue.format}` : `must match ${issue.pattern}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    default:
      return `is not valid: ${issue.message}`;
  }
}

function amount(origin: string, comparison: string, limit: number | bigint): string {
  if (origin === "string") return `have ${comparison} ${limit} character${limit === 1 ? "" : "s"}`;
  if (origin === "array" || origin === "set") return `have ${comparison} ${limit} item${limit === 1 ? "" : "s"}`;
  return `be ${comparison} ${limit}`;
}
