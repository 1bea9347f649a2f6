import { ID_PATTERN, ID_RULE } from "@tailrace/core";
import { z } from "zod";
import { text } from "./text.ts";

/** @param field - names the field in messages */
export function id(field: string): z.ZodString {
  const message = `${field} ${ID_RULE}`;
  return z.string(message).regex(ID_PATTERN, message);
}

export const teamId = id("teamId");
export const scenarioId = id("scenarioId");

export const name = text("name", 1, 100);

const LIMIT_RULE = "limit must be an integer from 1 to 200";

/** A page of a list; the cursor is the `nextCursor` of the page before. */
export const page = {
  cursor: text("cursor", 1, 1000).optional(),
  limit: z.int(LIMIT_RULE).min(1, LIMIT_RULE).max(200, LIMIT_RULE).default(50),
};
