import type { Run } from "@tailrace/core";
import type { z } from "zod";
import { requireRole } from "../../auth/access.ts";
import type { Call } from "../../context.ts";
import type { runsGet } from "../../schemas/runs.ts";
import { findRun } from "./find.ts";

export async function getRun({ ctx, input }: Call<z.output<typeof runsGet>>): Promise<Run> {
  await requireRole(ctx, input.teamId, "viewer");
  return await findRun(ctx, input.teamId, input.runId);
}
