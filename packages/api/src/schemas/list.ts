import { z } from "zod";

/**
 * A list of `min` to `max` items.
 *
 * @param field - names the field in messages
 */
export function list<Item extends z.ZodType>(
  field: string,
  item: Item,
  { min, max }: { min: number; max: number },
): z.ZodArray<Item> {
  const rule = `${field} must be a list of ${min === 0 ? `at most ${max}` : `${min} to ${max}`} items`;
  return z.array(item, rule).min(min, rule).max(max, rule);
}

/** @param field - names the field in messages */
export function integer(field: string, min: number, max: number): z.ZodInt {
  const rule = `${field} must be an integer from ${min} to ${max}`;
  return z.int(rule).min(min, rule).max(max, rule);
}

/** @param field - names the field in messages */
export function oneOf<const Values extends readonly string[]>(
  field: string,
  values: Values,
): z.ZodEnum<{ [Value in Values[number]]: Value }> {
  return z.enum(values, `${field} must be one of ${values.join(", ")}`);
}
