import { parallelismSchema } from "@tailrace/core";
import { InvalidArgumentError } from "commander";
import { parseDuration } from "./duration.ts";

/** Refuses with the sentence that the API has for it. */
export function readParallelism(text: string): number {
  const value = /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
  const parsed = parallelismSchema.safeParse(value);
  if (!parsed.success) throw new InvalidArgumentError(`${parsed.error.issues[0]!.message}.`);
  return parsed.data;
}

/** Adds one `NAME=value` to those before it. */
export function readVariable(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("It must be NAME=value.");
  return { ...previous, [text.slice(0, equals)]: text.slice(equals + 1) };
}

export function readTimeout(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === null) throw new InvalidArgumentError("It must be a time such as 90s, 10m or 1h30m.");
  return milliseconds;
}

export function readLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > 200)
    throw new InvalidArgumentError("It must be an integer from 1 to 200.");
  return limit;
}
