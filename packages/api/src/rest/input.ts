import type { FieldIssue } from "@tailrace/core";
import { invalidInput } from "../errors/problem.ts";

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
 * @throws TailraceError BAD_REQUEST
 */
export function restInput({ params, query, body, idempotencyKey }: RestParts): Record<string, unknown> {
  const places: [string, Record<string, unknown>][] = [
    ["the path", params],
    ["the query", Object.fromEntries(Object.entries(query).map(([name, value]) => [name, fromQuery(name, value)]))],
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

/** `limit` is the one field of queries that is a number; text that is none is left for its schema to refuse. */
function fromQuery(name: string, value: string | string[]): unknown {
  return name === "limit" && typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

function bodyFields(body: unknown): Record<string, unknown> {
  if (body === undefined) return {};
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return { ...body };
  throw invalidInput([{ path: "", message: "the body must be a JSON object" }]);
}
