import { type FieldIssue, type LogFilter, type LogLevel, type LogPattern, isTailraceError } from "@tailrace/core";
import { invalidInput } from "../errors/problem.ts";

/** Which lines, as the API's callers say it. */
export interface FilterInput {
  include: readonly string[];
  exclude: readonly string[];
  includeRegex: readonly string[];
  excludeRegex: readonly string[];
  ignoreCase: boolean;
  levels?: readonly (LogLevel | "none")[] | undefined;
}

export function toLogFilter(input: FilterInput): LogFilter {
  const { include, exclude, includeRegex, excludeRegex, ignoreCase, levels } = input;
  return {
    include: [...include.map(toSubstring), ...includeRegex.map(toRegex)],
    exclude: [...exclude.map(toSubstring), ...excludeRegex.map(toRegex)],
    ignoreCase,
    levels: levels?.map((level) => (level === "none" ? null : level)) ?? null,
  };
}

/** What the store says of a field, said of the input's own. */
export async function withOwnFields<T>(input: FilterInput, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isTailraceError(error, "BAD_REQUEST")) throw error;
    throw invalidInput(error.issues.map((issue) => ownIssue(issue, input)));
  }
}

/** Its message names the field, as those of the schemas do. */
function ownIssue({ path, message }: FieldIssue, input: FilterInput): FieldIssue {
  const own = ownField(path, input);
  const rule = message.startsWith(`${path} `) ? message.slice(path.length + 1) : message;
  return { path: own, message: rule.startsWith("must ") ? `${own} ${rule}` : `${own}: ${rule}` };
}

/** {@link toLogFilter} puts the expressions behind the substrings. */
function ownField(path: string, input: FilterInput): string {
  if (path === "bucketMs") return "bucket";
  const [, list, index] = /^(include|exclude)\.(\d+)$/.exec(path) ?? [];
  if (list === undefined) return path;
  const place = Number(index) - input[list as "include" | "exclude"].length;
  return place < 0 ? path : `${list}Regex.${place}`;
}

function toSubstring(text: string): LogPattern {
  return { kind: "substring", text };
}

function toRegex(text: string): LogPattern {
  return { kind: "regex", text };
}
