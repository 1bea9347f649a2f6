import { z } from "zod";
import type { FieldIssue } from "../errors.ts";
import type { ValidK6TestRunConfig } from "./config.ts";
import { fieldIssues } from "./field-issues.ts";
import { imageProblem } from "./image.ts";
import { k6TestRunConfigSchema } from "./schema.ts";

export type Validation = { ok: true; config: ValidK6TestRunConfig } | { ok: false; issues: FieldIssue[] };

/**
 * Checks a run config: nothing is converted, and each wrong field has one message that names it and its limits.
 *
 * @param limits.allowedImages - the images that the installation allows (Default: any)
 */
export function validateK6TestRunConfig(
  input: unknown,
  limits: { allowedImages?: readonly string[] | undefined } = {},
): Validation {
  const parsed = k6TestRunConfigSchema.safeParse(input);
  if (!parsed.success) return { ok: false, issues: fieldIssues(parsed.error) };
  const config = parsed.data;
  const { allowedImages } = limits;
  const problem =
    config.image === undefined || allowedImages === undefined ? null : imageProblem(config.image, allowedImages);
  return problem === null ? { ok: true, config } : { ok: false, issues: [{ path: "image", message: problem }] };
}

/** The JSON Schema (draft 2020-12) of a `K6TestRunConfig` as it is given, for tools and documentation; plain data. */
export const k6TestRunConfigJsonSchema: Record<string, unknown> = z.toJSONSchema(k6TestRunConfigSchema, {
  io: "input",
});
