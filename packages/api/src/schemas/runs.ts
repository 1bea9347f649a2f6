import { type RunStatus, scenarioConfigSchema } from "@tailrace/core";
import { z } from "zod";
import { MAX_WAIT_MS } from "../limits.ts";
import { id, page, scenarioId, teamId } from "./common.ts";
import { text } from "./text.ts";
import { duration } from "./times.ts";

const { parallelism, arguments: args, env } = scenarioConfigSchema.shape;

const KEY_RULE = "idempotencyKey must be 1 to 255 visible ASCII characters";

const STATUSES = ["pending", "running", "stopping", "finished", "error"] as const satisfies readonly RunStatus[];

export const runsCreate = z.strictObject({
  teamId,
  scenarioId,
  comment: text("comment", 0, 1000).optional(),
  parallelism,
  arguments: args,
  env,
  idempotencyKey: z
    .string(KEY_RULE)
    .regex(/^[\x21-\x7e]{1,255}$/, KEY_RULE)
    .optional(),
});

export const runsGet = z.strictObject({ teamId, runId: id("runId") });

export const runsProgress = z.strictObject({
  teamId,
  runId: id("runId"),
  known: text("known", 1, 100).optional(),
  wait: duration("wait", MAX_WAIT_MS).optional(),
});

export const runsList = z.strictObject({
  teamId,
  scenarioId: scenarioId.optional(),
  status: z.enum(STATUSES, `status must be one of ${STATUSES.join(", ")}`).optional(),
  ...page,
});
