import { type CreateRunResult, type Run, TailraceError, makeId, testRunName } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { runsCreate } from "../../schemas/runs.ts";
import { findScenario } from "../scenarios/find.ts";
import { effectiveConfig } from "./effective-config.ts";
import { requestHash } from "./request-hash.ts";

/**
 * Freezes the scenario with the run's own fields and writes the run, `pending`. Nothing waits for the cluster.
 *
 * @throws TailraceError TOO_MANY_REQUESTS when the team has as many active runs as it may; CONFLICT when the
 * idempotency key was used for another request
 */
export async function createRun({ ctx, input }: Call<z.output<typeof runsCreate>>): Promise<Run> {
  const { teamId, scenarioId, comment = null, idempotencyKey: key } = input;
  await requireRole(ctx, teamId, "runner");
  const idempotency = key === undefined ? undefined : { key, requestHash: requestHash(input) };
  // A repeated request gets its run also when the scenario has changed or gone since.
  const repeated = idempotency === undefined ? null : await ctx.store.findRepeatedRun(teamId, idempotency);
  if (repeated !== null) return createdRun(repeated, ctx.limits.maxActiveRuns);
  const scenario = await findScenario(ctx, teamId, scenarioId);
  const id = makeId(ctx.random(16));
  const config = effectiveConfig(testRunName(scenarioId, id), scenario.config, input, ctx.limits);
  const result = await ctx.store.createRun({
    id,
    teamId,
    scenarioId,
    comment,
    step: { id: makeId(ctx.random(16)), namespace: ctx.limits.namespace, config },
    idempotency,
    maxActive: ctx.limits.maxActiveRuns,
  });
  return createdRun(result, ctx.limits.maxActiveRuns);
}

function createdRun(result: CreateRunResult, maxActive: number): Run {
  switch (result.kind) {
    case "created":
    case "replayed":
      return result.run;
    case "key_reused":
      throw new TailraceError(
        "CONFLICT",
        "the idempotency key was used for another request, or its test run was deleted",
      );
    case "too_many_active":
      throw new TailraceError(
        "TOO_MANY_REQUESTS",
        `the team has ${result.active} active test runs and may have ${maxActive}; wait for one to end, or stop one`,
      );
  }
}
