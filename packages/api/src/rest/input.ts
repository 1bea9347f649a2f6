import type { FieldIssue } from "@tailrace/core";
import { invalidInput } from "../errors/problem.ts";
import type { QueryField, QueryFields } from "./query-fields.ts";

export interface RestParts {
  /** Of the path. */
  params: Record<string, string>;
  query: Record<string, string | string[]>;
  body: unknown;
  /** Given for routes that take it. */
  idempotencyKey?: string | undefined;
}

/**
 * The input of the procedure: what the path, the query, the body and the header say, as one object. A field has one
 * place, so that a body can't override the team in the path.
 *
 * @param fields - of the input, by which the query's texts are read
 * @throws TailraceError BAD_REQUEST
 */
export function restInput(
  { params, query, body, idempotencyKey }: RestParts,
  fields: QueryFields,
): Record<string, unknown> {
  const read = Object.entries(query).map(([name, value]) => [name, fromQuery(value, fields.get(name))]);
  const places: [string, Record<string, unknown>][] = [
    ["the path", params],
    ["the query", Object.fromEntries(read) as Record<string, unknown>],
    ["the header Idempotency-Key", idempotencyKey === undefined ? {} : { idempotencyKey }],
    ["the body", bodyFields(body)],
  ];
  const placeOf = new Map<string, string>();
  const input: [string, unknown][] = [];
  const issues: FieldIssue[] = [];
  for (const [place, fields] of places) {
    for (const [name, value] of Object.entries(fields)) {
      const other = placeOf.get(name);
      if (other !== undefined)
        issues.push({ path: name, message: `${name} is given by ${other} and must not be in ${place}` });
      placeOf.set(name, place);
      input.push([name, value]);
    }
  }
  if (issues.length > 0) throw invalidInput(issues);
  return Object.fromEntries(input);
}

/** A repeated field that is no list is left for its schema to refuse, and so is text that is not of its type. */
function fromQuery(value: string | string[], field: QueryField | undefined): unknown {
  if (field === undefined) return value;
  if (field.list) return [value].flat().map((text) => parse(text, field.type));
  return typeof value === "string" ? parse(value, field.type) : value;
}

function parse(text: string, type: QueryField["type"]): unknown {
  if (type === "number" && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function bodyFields(body: unknown): Record<string, unknown> {
  if (body === undefined) return {};
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return { ...body };
  throw invalidInput([{ path: "", message: "the body must be a JSON object" }]);
}
