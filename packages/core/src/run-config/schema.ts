import { z } from "zod";
import type { FieldIssue } from "../errors.ts";
import { ARGUMENT_PATTERN, ARGUMENT_RULE, argumentIssues } from "./arguments.ts";
import { envIssues } from "./env.ts";
import { IMAGE_PATTERN, IMAGE_RULE } from "./image.ts";
import {
  MAX_ARGUMENTS,
  MAX_ARGUMENT_LENGTH,
  MAX_ENV_NAMES,
  MAX_PARALLELISM,
  MAX_SCRIPT_BYTES,
  MIN_PARALLELISM,
} from "./limits.ts";
import { TEST_RUN_NAME_PATTERN, TEST_RUN_NAME_RULE } from "./name.ts";
import { QUANTITY_LIMITS, type ResourceName, isQuantityAbove, isQuantityWithin } from "./quantity.ts";
import { scriptProblem } from "./script.ts";
import { describeValue } from "./text.ts";

type RawIssue = { readonly code?: string; readonly path?: PropertyKey[] | undefined; readonly input?: unknown };

/** The message of a field at the top of its object. */
function must(field: string, rule: string) {
  return {
    error: ({ input }: RawIssue) =>
      input === undefined ? `${field} is required and ${rule}` : `${field} ${rule}, got ${describeValue(input)}`,
  };
}

/** The message of an item inside of a field, named by its key. */
function itemMust(field: string, rule: string) {
  return {
    error: ({ path, input }: RawIssue) => `${field}.${String(path?.at(-1))} ${rule}, got ${describeValue(input)}`,
  };
}

/** The message of an object for a value that is none; unknown fields keep zod's issue. */
function mustBeObject(field: string, rule: string) {
  return {
    error: ({ code, input }: RawIssue) =>
      code === "invalid_type" ? `${field} ${rule}, got ${describeValue(input)}` : undefined,
  };
}

/** Adds issues of a field to its own schema, whose paths start inside of it. */
function addAll(issues: readonly FieldIssue[], context: z.RefinementCtx): void {
  for (const { path, message } of issues) context.addIssue({ code: "custom", path: path.split(".").slice(1), message });
}

const parallelismRule = must("parallelism", `must be an integer from ${MIN_PARALLELISM} to ${MAX_PARALLELISM}`);

/** Number of parallel K6 containers; neither optional nor with a default, so that each use says what absence means. */
export const parallelismSchema = z
  .int(parallelismRule)
  .min(MIN_PARALLELISM, parallelismRule)
  .max(MAX_PARALLELISM, parallelismRule)
  .describe("Number of parallel K6 containers");

const nameSchema = z
  .string(must("name", TEST_RUN_NAME_RULE))
  .regex(TEST_RUN_NAME_PATTERN, must("name", TEST_RUN_NAME_RULE))
  .describe("The TestRun's name");

const scriptRule = { error: ({ input }: RawIssue) => `script ${scriptProblem(input) ?? "is not valid"}` };

const scriptSchema = z
  .string(scriptRule)
  .min(1, scriptRule)
  .max(MAX_SCRIPT_BYTES, scriptRule)
  .superRefine((script, context) => {
    const problem = scriptProblem(script);
    if (problem !== null) context.addIssue({ code: "custom", message: `script ${problem}` });
  })
  .describe("The k6 script, 1 to 1,048,576 bytes in UTF-8");

const argumentsRule = must("arguments", `must be an array of at most ${MAX_ARGUMENTS} strings`);
const argumentRule = itemMust("arguments", ARGUMENT_RULE);

const argumentsSchema = z
  .array(
    z.string(argumentRule).max(MAX_ARGUMENT_LENGTH, argumentRule).regex(ARGUMENT_PATTERN, argumentRule),
    argumentsRule,
  )
  .max(MAX_ARGUMENTS, {
    error: ({ input }: RawIssue) =>
      `arguments must have at most ${MAX_ARGUMENTS} items, got ${(input as unknown[]).length}`,
  })
  .superRefine((tokens, context) => addAll(argumentIssues(tokens), context))
  .describe("Arguments of k6 run, one token an item");

const envRule = must("env", "must be an object of strings");

const envSchema = z
  .preprocess(
    (env: Record<string, string>, context) => {
      // zod leaves this key out without a word.
      if (typeof env === "object" && env !== null && Object.hasOwn(env, "__proto__"))
        addAll(envIssues(Object.fromEntries([["__proto__", ""]])), context);
      return env;
    },
    z
      .record(z.string(), z.string(itemMust("env", "must be a string")), envRule)
      .superRefine((env, context) => addAll(envIssues(env), context)),
  )
  .describe(`Environment variables of the script, at most ${MAX_ENV_NAMES}`);

function quantitySchema(owner: string, resource: ResourceName) {
  const { least, most } = QUANTITY_LIMITS[resource];
  const rule = must(`${owner}.${resource}`, `must be a Kubernetes quantity from ${least} to ${most}`);
  return z
    .string(rule)
    .refine((text) => isQuantityWithin(resource, text), rule)
    .describe(`A Kubernetes quantity from ${least} to ${most}`)
    .optional();
}

function quantitiesSchema(field: string) {
  return z
    .strictObject(
      { cpu: quantitySchema(field, "cpu"), memory: quantitySchema(field, "memory") },
      mustBeObject(field, "must be an object with cpu and memory"),
    )
    .optional();
}

const resourcesSchema = z
  .strictObject(
    { requests: quantitiesSchema("resources.requests"), limits: quantitiesSchema("resources.limits") },
    mustBeObject("resources", "must be an object with requests and limits"),
  )
  .superRefine(({ requests, limits }, context) => {
    for (const name of ["cpu", "memory"] as const) {
      const [request, limit] = [requests?.[name], limits?.[name]];
      if (request === undefined || limit === undefined || !isQuantityAbove(request, limit)) continue;
      const message = `resources.requests.${name} must not be above resources.limits.${name} (${limit}), got ${request}`;
      context.addIssue({ code: "custom", path: ["requests", name], message });
    }
  })
  .describe("Requests and limits of each runner");

const imageSchema = z
  .string(must("image", IMAGE_RULE))
  .regex(IMAGE_PATTERN, must("image", IMAGE_RULE))
  .describe("The k6 image of initializer and runners");

const fields = {
  script: scriptSchema,
  arguments: argumentsSchema.optional(),
  env: envSchema.optional(),
  resources: resourcesSchema.optional(),
  image: imageSchema.optional(),
};

/** What a scenario says about each of its runs: everything of a run config but the name. */
export const scenarioConfigSchema = z.strictObject(
  { ...fields, parallelism: parallelismSchema.optional() },
  mustBeObject("the input", "must be an object"),
);

/** A `K6TestRunConfig`; the allowlist of images is the installation's and not part of it. */
export const k6TestRunConfigSchema = z.strictObject(
  { name: nameSchema, ...fields, parallelism: parallelismSchema.default(1) },
  mustBeObject("the input", "must be an object"),
);
