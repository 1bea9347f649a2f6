import type { Run } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { runsGet } from "../../schemas/runs.ts";
import { runNotFound } from "./find.ts";

/** Asks for the run's end and does not wait for it. A run that has ended is answered as it is. */
export async function stopRun({ ctx, input }: Call<z.output<typeof runsGet>>): Promise<Run> {
  await requireRole(ctx, input.teamId, "runner");
  const run = await ctx.store.requestStop(input.teamId, input.runId);
  if (run === null) throw runNotFound(input.runId);
  return run;
}
