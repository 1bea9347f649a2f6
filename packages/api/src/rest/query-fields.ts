import { z } from "zod";

/** How a field of an input is read from a query, where everything is text. */
export interface QueryField {
  /** It may be repeated: one value is a list of one. */
  list: boolean;
  /** What each value is. */
  type: "text" | "number" | "boolean";
}

export type QueryFields = ReadonlyMap<string, QueryField>;

interface JsonSchema {
  type?: string | string[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
}

/** The fields of an input, by what its schema says of them. @throws Error for a schema that is not an object's */
export function queryFields(schema: z.ZodType): QueryFields {
  const { properties } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  if (properties === undefined) throw new Error("the input of a REST route must be an object");
  return new Map(Object.entries(properties).map(([name, field]) => [name, toField(field)]));
}

function toField(schema: JsonSchema): QueryField {
  const either = [schema, ...(schema.anyOf ?? [])];
  const list = either.find((one) => typesOf(one).includes("array"));
  return { list: list !== undefined, type: valueType(list?.items === undefined ? either : [list.items]) };
}

function valueType(schemas: readonly JsonSchema[]): QueryField["type"] {
  const types = schemas.flatMap(typesOf);
  if (types.includes("integer") || types.includes("number")) return "number";
  return types.includes("boolean") ? "boolean" : "text";
}

function typesOf({ type = [] }: JsonSchema): string[] {
  return [type].flat();
}
